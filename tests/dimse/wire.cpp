// SPDX-License-Identifier: Apache-2.0
#include "wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace fiducia::test {

using namespace dimse;

UserInformation ordinary_user() {
  return {.p_data_bytes_max = 16'384,
          .implementation_class_uid = "1.2.3.4",
          .implementation_version = "TEST"};
}

AssociateRequest ordinary_request() {
  const std::vector<std::string> syntaxes{std::string{explicit_uid},
                                          std::string{implicit_little_endian_uid}};
  return {.called_ae_title = "CALLED",
          .calling_ae_title = "CALLING",
          .application_context = std::string{application_context_uid},
          .contexts = {{1, std::string{verification_uid}, syntaxes},
                       {3, std::string{ct_uid}, syntaxes}},
          .user = ordinary_user()};
}

AssociateAccept ordinary_answer(const AssociateRequest& request) {
  AssociateAccept out{.called_ae_title = request.called_ae_title,
                      .calling_ae_title = request.calling_ae_title,
                      .application_context = request.application_context,
                      .contexts = {},
                      .user = ordinary_user()};
  for (const ProposedContext& context : request.contexts)
    out.contexts.push_back({.id = context.id,
                            .result = ContextResult::accepted,
                            .transfer_syntax = context.transfer_syntaxes.front()});
  return out;
}

Command echo(std::uint16_t message_id) {
  return {.field = CommandField::c_echo_rq,
          .message_id = message_id,
          .affected_sop_class = std::string{verification_uid}};
}

Command store(std::uint16_t message_id, std::string instance) {
  return {.field = CommandField::c_store_rq,
          .message_id = message_id,
          .affected_sop_class = std::string{ct_uid},
          .affected_sop_instance = std::move(instance),
          .priority = 0,
          .has_data_set = true};
}

std::vector<Happened> feed(Association& side, ByteView bytes) {
  side.receive(bytes);
  std::vector<Happened> out;
  while (auto happened = side.next()) out.push_back(std::move(*happened));
  return out;
}

std::vector<Happened> carry(Association& from, Association& to, std::size_t step) {
  std::vector<Happened> out;
  while (!from.output().empty()) {
    const ByteView part = from.output().first(std::min(step, from.output().size()));
    const Bytes copy{part.begin(), part.end()};
    from.sent(copy.size());
    for (Happened& happened : feed(to, copy)) out.push_back(std::move(happened));
  }
  return out;
}

Pair associated(AssociationOptions asking, AssociationOptions asked) {
  auto one = Association::requestor(ordinary_request(), asking);
  if (!one) throw std::runtime_error{to_sentence(one.error())};
  Pair out{std::move(*one), Association::acceptor(asked)};
  const auto requested = carry(out.asking, out.asked);
  EXPECT_EQ(requested.size(), 1U);
  EXPECT_TRUE(out.asked.accept(ordinary_answer(out.asked.request())));
  const auto accepted = carry(out.asked, out.asking);
  EXPECT_EQ(accepted.size(), 1U);
  EXPECT_TRUE(out.asking.is_ready() && out.asked.is_ready());
  return out;
}

}  // namespace fiducia::test
