// Python code of other threads may run while linnet computes.
#ifndef LINNET_PYTHON_GIL_H_
#define LINNET_PYTHON_GIL_H_

#include <Python.h>
#include <unistd.h>

namespace linnet_python {

// Releases the GIL for a scope. A daemon thread that wants it back after the interpreter has ended is ended
// by Python up to 3.13 with pthread_exit(), whose unwinding ends the process at the first frame of C++ that
// lets nothing through. The thread waits for the end of the process instead, as Python 3.14 does it.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() {
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {  // not an exception of C++, which Python has none of, but the unwinding of pthread_exit()
      while (true) {
        ::pause();
      }
    }
  }

 private:
  PyThreadState* state_;
};

}  // namespace linnet_python

#endif  // LINNET_PYTHON_GIL_H_
