// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "dimse/dimse.h"

/// What the tests of dimse share: ordinary proposals and answers, and two sides that talk in
/// memory.
namespace fiducia::test {

inline constexpr std::string_view ct_uid = "1.2.840.10008.5.1.4.1.1.2";
inline constexpr std::string_view explicit_uid = "1.2.840.10008.1.2.1";

[[nodiscard]] dimse::UserInformation ordinary_user();
/// Verification and CT, each in both little endian syntaxes.
[[nodiscard]] dimse::AssociateRequest ordinary_request();
/// Accepts every context in the first syntax that was proposed.
[[nodiscard]] dimse::AssociateAccept ordinary_answer(const dimse::AssociateRequest& request);
[[nodiscard]] dimse::Command echo(std::uint16_t message_id);
[[nodiscard]] dimse::Command store(std::uint16_t message_id, std::string instance = "1.2.3");

/// Everything that happens at `side` when `bytes` come.
[[nodiscard]] std::vector<dimse::Happened> feed(dimse::Association& side, ByteView bytes);
/// Takes what `from` has to send to `to`, `step` bytes at a time; what happened there. Views of
/// data are gone by then.
[[nodiscard]] std::vector<dimse::Happened> carry(dimse::Association& from, dimse::Association& to,
                                                 std::size_t step = 1 << 20);

/// Two sides between which an association stands.
struct Pair {
  dimse::Association asking;
  dimse::Association asked;
};
[[nodiscard]] Pair associated(dimse::AssociationOptions asking = {},
                              dimse::AssociationOptions asked = {});

}  // namespace fiducia::test
