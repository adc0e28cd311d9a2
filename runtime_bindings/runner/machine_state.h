/* What Linux tells about the state of the machine and about this process. */
#ifndef LINNET_RUNNER_MACHINE_STATE_H
#define LINNET_RUNNER_MACHINE_STATE_H

#include <stdint.h>

/* Writes {"frequency_mhz": [...], "load_average": [...], "temperature_c": ...} to stdout. */
void json_state(void);
/* Peak resident bytes of this process (VmHWM), 0 if not told. */
int64_t peak_memory(void);

#endif
