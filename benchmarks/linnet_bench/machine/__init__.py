"""Description of a machine: processor, environment, emulation, frequency and temperature."""
