// SPDX-License-Identifier: Apache-2.0
#include "crypto/role.h"

#include <algorithm>
#include <utility>

namespace fiducia::crypto {
namespace {

/// Under 2.25 anybody may name an arc by a UUID (ITU-T X.667); this one is
/// 929c5097-8296-4aa4-a1c9-382feb9d3d4e. Below it: 1 for extended key usages.
constexpr std::string_view usages_oid = "2.25.194878920291164724983316205274960575822.1.";

}  // namespace

std::string_view to_word(Role role) {
  switch (role) {
    case Role::seal:
      return "seal";
    case Role::amend:
      return "amend";
    case Role::deidentify:
      return "deidentify";
    case Role::derive:
      return "derive";
    case Role::gateway:
      return "gateway";
    case Role::audit:
      return "audit";
    case Role::curate:
      return "curate";
    case Role::calibrate:
      return "calibrate";
  }
  std::unreachable();
}

std::optional<Role> find_role(std::string_view word) {
  const auto found = std::ranges::find(all_roles, word, to_word);
  if (found == all_roles.end()) return std::nullopt;
  return *found;
}

std::string role_oid(Role role) {
  return std::string(usages_oid) + std::to_string(std::to_underlying(role));
}

}  // namespace fiducia::crypto
