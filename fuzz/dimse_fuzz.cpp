// SPDX-License-Identifier: Apache-2.0
// What a stranger says to a listener of DICOM, cut anywhere: before an association, within one, and
// after the end. Each byte is taken once, memory stays small, what is read can be written and reads
// the same again.
#include <algorithm>

#include "core/core.h"
#include "dimse/dimse.h"
#include "target.h"

using namespace fiducia;
using namespace fiducia::dimse;

namespace {

/// Accepts the first syntax of every context.
AssociateAccept answer_to(const AssociateRequest& request) {
  AssociateAccept out{.called_ae_title = request.called_ae_title,
                      .calling_ae_title = request.calling_ae_title,
                      .application_context = request.application_context,
                      .contexts = {},
                      .user = {.implementation_class_uid = "1.2.3"}};
  for (const ProposedContext& context : request.contexts)
    out.contexts.push_back({.id = context.id,
                            .result = ContextResult::accepted,
                            .transfer_syntax = context.transfer_syntaxes.front()});
  return out;
}

void check_requested(const AssociateRequest& request) {
  Bytes pdu;
  // An item that was skipped is not written, so this is never longer.
  fuzz::require(write_associate_request(pdu, request).has_value(), "a request can be written");
  const auto again = read_associate_request(ByteView{pdu}.subspan(pdu_header_bytes));
  fuzz::require(again && *again == request, "and reads the same");
}

void check_command(const Command& command) {
  const auto written = write_command(command);
  fuzz::require(written.has_value(), "a command can be written");
  fuzz::require(read_command(*written) == command, "and reads the same");
}

/// Feeds a side `step` bytes at a time; returns how much of data sets came.
void converse(ByteView bytes, std::size_t step, bool asks) {
  const AssociateRequest own{
      .called_ae_title = "A",
      .calling_ae_title = "B",
      .application_context = std::string{application_context_uid},
      .contexts = {{1, std::string{verification_uid}, {std::string{implicit_little_endian_uid}}}},
      .user = {.implementation_class_uid = "1.2.3"}};
  Association side = asks ? *Association::requestor(own) : Association::acceptor();
  std::uint64_t came = 0;
  const auto listen = [&] {
    while (const auto happened = side.next()) {
      if (const auto* requested = std::get_if<Requested>(&*happened)) {
        check_requested(requested->request);
        fuzz::require(side.accept(answer_to(requested->request)).has_value(), "it is accepted");
      } else if (const auto* command = std::get_if<CommandReceived>(&*happened)) {
        check_command(command->command);
        if (!is_response(command->command.field) &&
            command->command.field != CommandField::c_cancel_rq && !command->command.has_data_set)
          fuzz::require(side.send(command->context_id, respond(command->command, status::success))
                            .has_value(),
                        "a request is answered");
      } else if (const auto* data = std::get_if<DataReceived>(&*happened)) {
        came += data->bytes.size();
      } else if (std::holds_alternative<ReleaseRequested>(*happened)) {
        fuzz::require(side.answer_release().has_value(), "a release is answered");
      }
      side.sent(side.output().size());
    }
    side.sent(side.output().size());
  };
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    side.receive(bytes.subspan(at, std::min(step, bytes.size() - at)));
    listen();
  }
  fuzz::require(came <= bytes.size(), "no byte comes twice");
  side.connection_closed();
  listen();
  fuzz::require(side.closes(), "the end is the end");
}

}  // namespace

FIDUCIA_FUZZ_TARGET(dimse) {
  const ByteView bytes = std::as_bytes(std::span{data, size});
  if (bytes.empty()) return 0;
  const auto first = std::to_integer<unsigned>(bytes.front());
  const std::size_t step = std::max<std::size_t>(1, first >> 1U);
  converse(bytes.subspan(1), step, (first & 1U) != 0);
  converse(bytes.subspan(1), bytes.size(), (first & 1U) != 0);
  if (const auto command = read_command(bytes.subspan(1))) check_command(*command);
  return 0;
}
