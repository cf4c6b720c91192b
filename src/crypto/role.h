// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace fiducia::crypto {

/// What a signer's certificate is made for: one extended key usage each (spec/trust.md section 6).
/// The numbers are the last arc of its object identifier: append, never renumber.
enum class Role : unsigned char {
  seal = 1,
  amend = 2,
  deidentify = 3,
  derive = 4,
  gateway = 5,
  audit = 6,
  curate = 7,
  calibrate = 8,
};
/// The one list of roles: that of spec/trust.md section 6, which a test compares with it. A word is
/// that of trust files and of `device add --role`.
struct RoleWord {
  Role role;
  std::string_view word;
};
inline constexpr std::array role_words{RoleWord{Role::seal, "seal"},
                                       RoleWord{Role::amend, "amend"},
                                       RoleWord{Role::deidentify, "deidentify"},
                                       RoleWord{Role::derive, "derive"},
                                       RoleWord{Role::gateway, "gateway"},
                                       RoleWord{Role::audit, "audit"},
                                       RoleWord{Role::curate, "curate"},
                                       RoleWord{Role::calibrate, "calibrate"}};
inline constexpr auto all_roles = [] {
  std::array<Role, role_words.size()> roles{};
  for (std::size_t i = 0; i < roles.size(); ++i) roles[i] = role_words[i].role;
  return roles;
}();

[[nodiscard]] std::string_view to_word(Role role);
[[nodiscard]] std::optional<Role> find_role(std::string_view word);
/// Its object identifier in dotted form.
[[nodiscard]] std::string role_oid(Role role);

}  // namespace fiducia::crypto
