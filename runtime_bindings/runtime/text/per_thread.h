// Thread-local objects without thread_local: glibc ends the process if memory for those runs out ("failed to
// register TLS destructor", "cannot allocate memory for thread-local data").
#ifndef LINNET_RUNTIME_PER_THREAD_H_
#define LINNET_RUNTIME_PER_THREAD_H_

#include <pthread.h>

#include <new>

namespace linnet {

// One T for each thread, made at the thread's first find() and deleted when the thread ends.
template <typename T>
class PerThread {
 public:
  // Return the calling thread's object, borrowed; NULL if there is no memory for it.
  static T* find() noexcept {
    const Key& key = shared_key();
    if (!key.made) {
      return nullptr;
    }
    auto* mine = static_cast<T*>(::pthread_getspecific(key.number));
    if (mine == nullptr) {
      mine = new (std::nothrow) T();
      if (mine != nullptr && ::pthread_setspecific(key.number, mine) != 0) {
        delete mine;
        mine = nullptr;
      }
    }
    return mine;
  }

 private:
  struct Key {
    Key() noexcept : made(::pthread_key_create(&number, [](void* p) { delete static_cast<T*>(p); }) == 0) {}
    pthread_key_t number = 0;
    bool made;
  };

  static const Key& shared_key() noexcept {
    static const Key key;
    return key;
  }
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PER_THREAD_H_
