// SPDX-License-Identifier: Apache-2.0
#include "postgres/libpq.h"

#include <dlfcn.h>

namespace fiducia::postgres {

Answer<Libpq> load_libpq(const char* file) {
  void* const library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return std::unexpected(Failure{
        .text = "The client library of PostgreSQL (" + std::string{file} + ") cannot be loaded.",
        .remedy = "Install it: the package libpq5 on Debian and Ubuntu, libpq on others."});
  Libpq loaded;
  const char* missing = nullptr;
#define FIDUCIA_LOAD(name)                                                    \
  loaded.name = reinterpret_cast<decltype(&::name)>(::dlsym(library, #name)); \
  if (loaded.name == nullptr) missing = #name;
  FIDUCIA_LIBPQ_FUNCTIONS(FIDUCIA_LOAD)
#undef FIDUCIA_LOAD
  if (missing == nullptr) return loaded;
  ::dlclose(library);
  return std::unexpected(Failure{
      .text =
          "The client library of PostgreSQL (" + std::string{file} + ") has no " + missing + ".",
      .remedy = "Install that of PostgreSQL 14 or later.",
  });
}

const Answer<Libpq>& find_libpq() {
  static const Answer<Libpq> found = load_libpq(libpq_file);
  return found;
}

}  // namespace fiducia::postgres
