// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/core.h"
#include "crypto/crypto.h"
#include "dimse/associate.h"
#include "dimse/association.h"
#include "dimse/command.h"

namespace fiducia::dimse {

/// Who is on the other side. The AE titles that it goes by are in its request, and are its own
/// word.
struct Peer {
  std::string address;  // IP
  std::uint16_t port = 0;
  /// Over TLS, where it showed one: issued by one of the listener's authorities, and its key
  /// proven.
  std::optional<crypto::Certificate> certificate = {};
};

/// One message to send.
struct Outgoing {
  std::uint8_t context_id = 0;
  Command command;
  std::unique_ptr<ByteSource> data_set = {};  // where the command announces one
};

/// How an association ended, for the one who served it.
struct Ending {
  enum class How : std::uint8_t { released, aborted_by_peer, aborted_by_us, lost, timed_out };
  How how = How::released;
  std::optional<Error> error = {};  // the fault of the peer's, or of the service
};

/// What answers one peer on one association. Calls come one at a time, each on a worker thread, and
/// only when something has come, so that a slow or silent peer holds no worker. What it throws ends
/// the association.
class Service {
 public:
  virtual ~Service() = default;
  /// Answers the proposal. `association` may be asked for what was agreed from now on.
  [[nodiscard]] virtual std::variant<AssociateAccept, AssociateReject> begin(
      const AssociateRequest& request) = 0;
  /// A command. Where it announces a data set, `take_data` follows, and `next` only after its end.
  virtual void take(std::uint8_t context_id, std::string_view transfer_syntax,
                    const Command& command) = 0;
  /// A part of the data set, as it came.
  virtual void take_data(ByteView part, bool is_last) = 0;
  /// What to send now: asked again after each message that was sent, until there is nothing. A
  /// request may be sent too, a C-STORE of a C-GET for example: its response comes as a command.
  [[nodiscard]] virtual std::optional<Outgoing> next() = 0;
  /// The peer wants no more of what this message began (C-CANCEL). Never while `next` runs.
  virtual void cancel(std::uint16_t message_id) = 0;
  /// The last call. What was not answered is unfinished business of both sides.
  virtual void end(const Ending& ending) noexcept = 0;
};

/// The service for a new connection, known by address and certificate alone; null: it is closed
/// without a byte. Called on a worker thread.
using MakeService = std::function<std::unique_ptr<Service>(const Peer& peer)>;

}  // namespace fiducia::dimse
