/// Nothing: kernels and backends of the real package register themselves.
enum Kernels {}
