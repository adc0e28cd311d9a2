/* Machine state from Linux: clock frequencies, load, temperature, and the memory of this process. */
#ifndef LINNET_RUNNER_MACHINE_STATE_H
#define LINNET_RUNNER_MACHINE_STATE_H

#include <stdint.h>

/* Write {"frequency_mhz": [...], "load_average": [...], "temperature_c": ...} to stdout. */
void json_state(void);
/* Return the peak resident bytes of this process (VmHWM); 0 if Linux does not say. */
int64_t peak_memory(void);

#endif
