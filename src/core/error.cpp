// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

#include <cstdio>
#include <cstdlib>

namespace fiducia {

std::string code_word(const Error& error) {
  std::string text{word(error.code)};
  if (error.code == ErrorCode::malformed)
    text += "." + (error.kind.empty() ? "structure" : error.kind);
  if (error.code == ErrorCode::unsupported)
    text += "." + (error.kind.empty() ? "feature" : error.kind);
  return text;
}

std::string to_sentence(const Error& error) {
  std::string text;
  if (!error.where.file.empty()) text += error.where.file + ": ";
  if (!error.where.element.empty()) text += error.where.element;
  if (error.where.offset) {
    if (!error.where.element.empty()) text += " ";
    text += "at byte " + std::to_string(*error.where.offset);
  }
  if (!error.where.element.empty() || error.where.offset) text += ": ";
  text += error.what;
  if (!error.remedy.empty()) text += " " + error.remedy;
  return text;
}

std::unexpected<Error> fail(ErrorCode code, std::string what, std::string remedy, Location where) {
  return std::unexpected(Error{.code = code,
                               .what = std::move(what),
                               .remedy = std::move(remedy),
                               .where = std::move(where),
                               .kind = {}});
}

std::unexpected<Error> fail_malformed(std::string kind, std::string what,
                                      std::optional<std::uint64_t> offset) {
  return std::unexpected(Error{.code = ErrorCode::malformed,
                               .what = std::move(what),
                               .remedy = {},
                               .where = Location{.file = {}, .element = {}, .offset = offset},
                               .kind = std::move(kind)});
}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "fiducia: internal error: %s does not hold (%s:%d). Please report it.\n",
               condition, file, line);
  std::abort();
}

}  // namespace fiducia
