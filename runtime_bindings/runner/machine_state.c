#include "machine_state.h"

#include <inttypes.h>
#include <stdio.h>

enum { MOST_CPUS = 256, MOST_ZONES = 128 };

/* Read a file that holds one number; return 0 if that fails. */
static int read_number(const char* path, double* value) {
  FILE* file = fopen(path, "r");
  if (file == NULL) {
    return 0;
  }
  const int found = fscanf(file, "%lf", value) == 1;
  fclose(file);
  return found;
}

static void json_frequencies(void) {
  const char* separator = "";
  putchar('[');
  for (int cpu = 0; cpu < MOST_CPUS; ++cpu) {
    char path[96];
    double kilohertz = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", cpu);
    if (read_number(path, &kilohertz)) {
      printf("%s%.3f", separator, kilohertz / 1000);
      separator = ", ";
    }
  }
  putchar(']');
}

static void json_load(void) {
  double load[3];
  FILE* file = fopen("/proc/loadavg", "r");
  if (file != NULL && fscanf(file, "%lf %lf %lf", &load[0], &load[1], &load[2]) == 3) {
    printf("[%.2f, %.2f, %.2f]", load[0], load[1], load[2]);
  } else {
    fputs("[]", stdout);
  }
  if (file != NULL) {
    fclose(file);
  }
}

static void json_temperature(void) {
  double hottest = 0;
  int found = 0;
  for (int zone = 0; zone < MOST_ZONES; ++zone) {
    char path[64];
    double millidegrees = 0;
    snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/temp", zone);
    if (read_number(path, &millidegrees) && (!found || millidegrees > hottest)) {
      hottest = millidegrees;
      found = 1;
    }
  }
  if (found) {
    printf("%.3f", hottest / 1000);
  } else {
    fputs("null", stdout);
  }
}

void json_state(void) {
  fputs("{\"frequency_mhz\": ", stdout);
  json_frequencies();
  fputs(", \"load_average\": ", stdout);
  json_load();
  fputs(", \"temperature_c\": ", stdout);
  json_temperature();
  putchar('}');
}

int64_t peak_memory(void) {
  FILE* file = fopen("/proc/self/status", "r");
  char line[256];
  int64_t kilobytes = 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "VmHWM: %" SCNd64, &kilobytes) == 1) {
      break;
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  return kilobytes * 1024;
}
