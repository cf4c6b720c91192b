// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dimse/associate.h"
#include "dimse/command.h"
#include "dimse/pdu.h"

namespace fiducia::dimse {

enum class State : std::uint8_t;
enum class Event : std::uint8_t;

// --- what an association tells ---

/// A peer proposes one: answer with `accept`, `reject` or `abort`.
struct Requested {
  AssociateRequest request;
};
/// The peer accepted ours.
struct Accepted {
  AssociateAccept accept;
};
struct Rejected {
  AssociateReject reject;
};
/// A whole command set; where it announces a data set, `DataReceived` follows.
struct CommandReceived {
  std::uint8_t context_id = 0;
  Command command;
};
/// A part of the data set that belongs to the last command, in order and as it came.
struct DataReceived {
  std::uint8_t context_id = 0;
  ByteView bytes;  // valid until the association is used again
  bool is_last = false;
};
/// The peer has nothing more to ask: answer what is open, then `answer_release`.
struct ReleaseRequested {};
/// Both sides agreed on the end. Nothing of the association is open.
struct Released {};
/// The end without agreement. What was not answered has not happened, as far as the peer knows.
struct Aborted {
  Abort abort;
  /// Why, where we saw a fault of the peer's and aborted.
  std::optional<Error> error = {};
};
/// The connection ended without a word.
struct ConnectionLost {};
/// ARTIM ran out (PS3.8 section 9.1.5): the peer said nothing, or did not close.
struct TimedOut {};

using Happened = std::variant<Requested, Accepted, Rejected, CommandReceived, DataReceived,
                              ReleaseRequested, Released, Aborted, ConnectionLost, TimedOut>;

struct AssociationOptions {
  /// The longest P-DATA-TF that we take and, whatever the peer takes, send.
  std::uint32_t p_data_bytes_max = limits::dimse_p_data_bytes_max;
};

/// One side of an association (PS3.8), without its connection: bytes that came go into `receive`,
/// what happened comes out of `next`, bytes to send lie in `output`. The state machine is that of
/// section 9.2; messages are put together as Annex E has it, one at a time in each direction.
///
/// Memory: one PDU of the length that was agreed, one command set, and what waits in `output`,
/// which the caller keeps small by sending data only when it was drained. Errors of the functions
/// that do something: usage_invalid where this is not the time for it; the association stays as it
/// was. Thread safety: none.
class Association {
 public:
  /// The side that is asked, on a connection that was just accepted.
  [[nodiscard]] static Association acceptor(AssociationOptions options = {});
  /// The side that asks, on a connection that was just made. The request's maximum length is
  /// replaced by that of the options. Errors: usage_invalid, over_limit (the request cannot be
  /// written).
  [[nodiscard]] static Result<Association> requestor(AssociateRequest request,
                                                     AssociationOptions options = {});

  void receive(ByteView bytes);
  /// The connection was closed by the peer, or broke.
  void connection_closed();
  /// ARTIM ran out.
  void time_out();
  /// The next thing that happened, in order; nothing where more bytes are needed. A peer's fault
  /// aborts the association, and is told as `Aborted`.
  [[nodiscard]] std::optional<Happened> next();

  /// To be sent, in order. Valid until the association is used again.
  [[nodiscard]] ByteView output() const { return ByteView{output_}.subspan(sent_); }
  void sent(std::size_t count);
  /// Whether the connection is to be closed as soon as `output` is empty.
  [[nodiscard]] bool closes() const;
  /// Whether ARTIM runs: the peer has to say something, or to close, within its time.
  [[nodiscard]] bool awaits_peer() const;
  /// Data transfer is possible.
  [[nodiscard]] bool is_ready() const;

  /// What both agreed on. Valid from `accept` and `Accepted` on; else nothing.
  [[nodiscard]] const AssociateRequest& request() const { return request_; }
  /// The transfer syntax of a context, empty where none was agreed.
  [[nodiscard]] std::string_view transfer_syntax_of(std::uint8_t context_id) const;
  [[nodiscard]] std::string_view abstract_syntax_of(std::uint8_t context_id) const;
  /// The first context for this class in one of these syntaxes, in their order.
  [[nodiscard]] std::optional<std::uint8_t> find_context(
      std::string_view abstract_syntax, const std::vector<std::string>& transfer_syntaxes) const;

  /// Every proposed context has to be answered, with a transfer syntax that was proposed for it.
  [[nodiscard]] Status accept(AssociateAccept accept);
  [[nodiscard]] Status reject(const AssociateReject& reject);
  /// Sends a command set. Its context has to be agreed on, and no data set of ours unfinished.
  [[nodiscard]] Status send(std::uint8_t context_id, const Command& command);
  /// A part of the data set that the command before announced; parts of any length.
  [[nodiscard]] Status send_data(std::uint8_t context_id, ByteView bytes, bool is_last);
  [[nodiscard]] Status request_release();
  [[nodiscard]] Status answer_release();
  /// Ends the association wherever it is. Never fails; nothing happens where it has ended.
  void abort(Abort::Reason reason = Abort::Reason::not_specified);

 private:
  struct Message {  // as far as it came, or went
    std::uint8_t context_id = 0;
    Bytes command;
    bool has_begun = false;   // a command set
    bool needs_data = false;  // and its data set is not complete
  };
  struct Context {
    std::string abstract_syntax;
    std::string transfer_syntax;
  };

  Association(AssociationOptions options, bool is_acceptor);

  /// Brings the state on. Errors: usage_invalid, where the event is ours and this is not the time.
  [[nodiscard]] Status step(Event event);
  void peer_is_at_fault(Abort::Reason reason, Error error);
  std::optional<Happened> take(const Pdu& pdu);
  std::optional<Happened> take_request(const Pdu& pdu);
  std::optional<Happened> take_accept(const Pdu& pdu);
  std::optional<Happened> take_next_value();
  std::optional<Happened> take_command(const Pdv& pdv);
  std::optional<Happened> take_data(const Pdv& pdv);
  [[nodiscard]] std::optional<Happened> take_ended();
  /// Whether a PDU of this kind is due now; if not, the peer is at fault.
  bool is_due(Event event);
  void agree(const AssociateAccept& accept);
  void write_fragments(std::uint8_t context_id, bool is_command, ByteView bytes, bool is_last);

  AssociationOptions options_;
  bool is_acceptor_;
  State state_;
  PduReader reader_;
  AssociateRequest request_;
  std::map<std::uint8_t, Context> contexts_;
  std::uint32_t fragment_bytes_max_ = 0;
  std::vector<Pdv> values_;  // of the PDU that is taken
  std::size_t next_value_ = 0;
  Message incoming_;
  Message outgoing_;
  std::optional<Happened> ended_;  // to be told
  bool closes_ = false;
  bool is_deaf_ = false;  // after a fault of the peer's
  Bytes output_;
  std::size_t sent_ = 0;
};

}  // namespace fiducia::dimse
