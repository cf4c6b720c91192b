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
  return std::ranges::find(role_words, role, &RoleWord::role)->word;
}

std::optional<Role> find_role(std::string_view word) {
  const auto* const found = std::ranges::find(role_words, word, &RoleWord::word);
  if (found == role_words.end()) return std::nullopt;
  return found->role;
}

std::string role_oid(Role role) {
  return std::string(usages_oid) + std::to_string(std::to_underlying(role));
}

}  // namespace fiducia::crypto
