/* linnet's operators and delegate as a library of their own, for an app whose ExecuTorch comes from another
 * package. Loading the library registers them with that ExecuTorch, which must be in the process already. */
#ifndef LINNET_KERNELS_H_
#define LINNET_KERNELS_H_

#ifdef __cplusplus
extern "C" {
#endif

/* Return the name of the kernels that this processor runs, for example "dotprod"; "portable" where none
 * is faster than the stock operators; NULL if memory is used up. */
__attribute__((visibility("default"))) const char* linnet_kernels_name(void);

#ifdef __cplusplus
}
#endif

#endif /* LINNET_KERNELS_H_ */
