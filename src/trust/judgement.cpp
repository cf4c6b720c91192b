// SPDX-License-Identifier: Apache-2.0
#include "trust/judgement.h"

#include <utility>

namespace fiducia::trust {

std::string_view to_word(DatedBy dated_by) {
  switch (dated_by) {
    case DatedBy::tsa:
      return "tsa";
    case DatedBy::witness:
      return "witness";
    case DatedBy::log:
      return "log";
  }
  return "log";
}

std::string_view to_word(FoundIn found_in) {
  switch (found_in) {
    case FoundIn::file:
      return "file";
    case FoundIn::sidecar:
      return "sidecar";
    case FoundIn::store:
      return "store";
    case FoundIn::given:
      return "given";
  }
  std::unreachable();
}

}  // namespace fiducia::trust
