/* Symbols of ExecuTorch 1.5.1 that linnet's kernels use, without their code. An app's build has no file of
 * ExecuTorch's Android package to link against, so liblinnet_kernels.so is linked against this stand-in of
 * the same soname; on the device the loader takes the package's library, which the app has loaded before. */
#define SYMBOL(name) \
  void name(void);   \
  void name(void) {}

/* executorch::runtime */
SYMBOL(_ZN10executorch7runtime16register_backendERKNS0_7BackendE)
SYMBOL(_ZN10executorch7runtime16register_kernelsENS0_4SpanIKNS0_6KernelEEE)
SYMBOL(_ZN10executorch7runtime13runtime_abortEv)
SYMBOL(_ZN10executorch7runtime16BackendInterfaceD2Ev)
SYMBOL(_ZN10executorch7runtime8internal18resize_tensor_implEPNS0_7etensor10TensorImplENS0_8ArrayRefIiEE)
SYMBOL(_ZN10executorch7runtime8internal17get_log_timestampEv)
/* executorch::runtime::internal::vlogf, whose va_list has another name on each processor */
SYMBOL(_ZN10executorch7runtime8internal5vlogfENS0_8LogLevelEmPKcS4_mS4_P13__va_list_tag)
SYMBOL(_ZN10executorch7runtime8internal5vlogfENS0_8LogLevelEmPKcS4_mS4_St9__va_list)
/* executorch::extension::threadpool */
SYMBOL(_ZN10executorch9extension10threadpool14get_threadpoolEv)
SYMBOL(_ZN10executorch9extension10threadpool10ThreadPool3runENS_7runtime11FunctionRefIFvmEEEm)
SYMBOL(_ZNK10executorch9extension10threadpool10ThreadPool16get_thread_countEv)
