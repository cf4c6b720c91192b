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
inline constexpr std::array all_roles{Role::seal,   Role::amend,    Role::deidentify,
                                      Role::derive, Role::gateway,  Role::audit,
                                      Role::curate, Role::calibrate};

/// The word of trust files and of `device add --role`.
[[nodiscard]] std::string_view to_word(Role role);
[[nodiscard]] std::optional<Role> find_role(std::string_view word);
/// Its object identifier in dotted form.
[[nodiscard]] std::string role_oid(Role role);

}  // namespace fiducia::crypto
