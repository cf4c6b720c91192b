// SPDX-License-Identifier: Apache-2.0
#include "dimse/association.h"

#include <algorithm>

#include "dimse/names.h"
#include "dimse/state.h"

namespace fiducia::dimse {
namespace {

constexpr std::uint32_t fragment_header_bytes = 6;

std::unexpected<Error> not_now(std::string what) {
  return fail(ErrorCode::usage_invalid, std::move(what));
}

Event event_of(PduType type) {
  switch (type) {
    case PduType::associate_rq:
      return Event::request_received;
    case PduType::associate_ac:
      return Event::accept_received;
    case PduType::associate_rj:
      return Event::reject_received;
    case PduType::p_data_tf:
      return Event::data_received;
    case PduType::release_rq:
      return Event::release_received;
    case PduType::release_rp:
      return Event::release_answer_received;
    case PduType::abort:
      return Event::abort_received;
  }
  return Event::unknown_received;
}

const ProposedContext* find_proposed(const AssociateRequest& request, std::uint8_t id) {
  const auto found = std::ranges::find(request.contexts, id, &ProposedContext::id);
  return found == request.contexts.end() ? nullptr : &*found;
}

/// Whether the answer fits what was proposed.
Status check_answer(const AssociateRequest& request, const AssociateAccept& accept) {
  for (const AnsweredContext& answered : accept.contexts) {
    const ProposedContext* const proposed = find_proposed(request, answered.id);
    if (proposed == nullptr)
      return fail_malformed("pdu", "a presentation context is answered that was not proposed.");
    if (answered.result == ContextResult::accepted &&
        std::ranges::find(proposed->transfer_syntaxes, answered.transfer_syntax) ==
            proposed->transfer_syntaxes.end())
      return fail_malformed("pdu",
                            "a presentation context is accepted in a transfer syntax that was not "
                            "proposed for it.");
  }
  return {};
}

}  // namespace

Association::Association(AssociationOptions options, bool is_acceptor)
    : options_(options),
      is_acceptor_(is_acceptor),
      state_(is_acceptor ? State::awaiting_request : State::awaiting_answer),
      reader_(options.p_data_bytes_max) {
  FIDUCIA_ASSERT(options.p_data_bytes_max > fragment_header_bytes);
}

Association Association::acceptor(AssociationOptions options) { return {options, true}; }

Result<Association> Association::requestor(AssociateRequest request, AssociationOptions options) {
  Association out{options, false};
  request.user.p_data_bytes_max = options.p_data_bytes_max;
  FIDUCIA_CHECK(write_associate_request(out.output_, request));
  out.request_ = std::move(request);
  return out;
}

// --- the state ---

Status Association::step(Event event) {
  const Action action = action_of(state_, event);
  if (action == Action::none) return not_now("this is not the time for that in an association.");
  // AE-6 refuses by AA-1 where the request cannot be read, so never by its other way out.
  const bool is_other = action == Action::ar_8 && is_acceptor_;
  state_ = state_after(action, state_, is_other);
  switch (action) {
    case Action::ae_4:
    case Action::ar_3:
    case Action::aa_2:
    case Action::aa_3:
      closes_ = true;
      break;
    case Action::ar_5:
    case Action::aa_4:
    case Action::aa_5:
      closes_ = true;
      output_.clear();
      sent_ = 0;
      break;
    default:
      break;
  }
  return {};
}

bool Association::is_due(Event event) {
  switch (action_of(state_, event)) {
    case Action::aa_1:
    case Action::aa_8:
      peer_is_at_fault(Abort::Reason::unexpected_pdu,
                       fail_malformed("pdu", "a PDU that is not due.").error());
      return false;
    case Action::aa_6:  // after the end: not looked at
      return false;
    case Action::aa_7:
      write_abort(output_,
                  {.source = Abort::Source::provider, .reason = Abort::Reason::unexpected_pdu});
      return false;
    case Action::none:  // the connection is gone
      return false;
    default:
      return true;
  }
}

/// AA-1 and AA-8, whatever the state: the association has ended, and the rest is not looked at.
void Association::peer_is_at_fault(Abort::Reason reason, Error error) {
  is_deaf_ = true;
  if (state_ == State::idle || state_ == State::awaiting_close) return;
  const Abort abort{.source = Abort::Source::provider, .reason = reason};
  write_abort(output_, abort);
  state_ = State::awaiting_close;
  values_.clear();
  ended_ = Aborted{.abort = abort, .error = std::move(error)};
}

std::optional<Happened> Association::take_ended() {
  auto out = std::move(ended_);
  ended_.reset();
  return out;
}

bool Association::closes() const { return closes_; }

bool Association::awaits_peer() const {
  return state_ == State::awaiting_request || state_ == State::awaiting_close;
}

bool Association::is_ready() const { return state_ == State::ready; }

// --- what comes ---

void Association::receive(ByteView bytes) {
  if (state_ == State::idle || is_deaf_) return;
  reader_.add(bytes);
}

void Association::connection_closed() {
  if (state_ == State::idle) return;
  const bool was_over = state_ == State::awaiting_close;
  static_cast<void>(step(Event::closed));
  if (!was_over && !ended_) ended_ = ConnectionLost{};
}

void Association::time_out() {
  if (!awaits_peer()) return;
  const bool was_over = state_ == State::awaiting_close;
  static_cast<void>(step(Event::timed_out));
  if (!was_over && !ended_) ended_ = TimedOut{};
}

std::optional<Happened> Association::next() {
  for (;;) {
    if (ended_) return take_ended();
    if (next_value_ < values_.size()) {
      if (auto happened = take_next_value()) return happened;
      continue;
    }
    if (state_ == State::idle || is_deaf_) return std::nullopt;
    auto pdu = reader_.next();
    if (!pdu) {
      peer_is_at_fault(pdu.error().code == ErrorCode::unsupported
                           ? Abort::Reason::unrecognized_pdu
                           : Abort::Reason::invalid_parameter,
                       std::move(pdu.error()));
      continue;
    }
    if (!*pdu) return std::nullopt;
    if (auto happened = take(**pdu)) return happened;
  }
}

std::optional<Happened> Association::take(const Pdu& pdu) {
  const Event event = event_of(pdu.type);
  if (!is_due(event)) return std::nullopt;
  switch (event) {
    case Event::request_received:
      return take_request(pdu);
    case Event::accept_received:
      return take_accept(pdu);
    case Event::reject_received: {
      const auto reject = read_reject(pdu.body);
      if (!reject) {
        peer_is_at_fault(Abort::Reason::invalid_parameter, reject.error());
        return std::nullopt;
      }
      static_cast<void>(step(event));
      return Rejected{*reject};
    }
    case Event::data_received: {
      auto values = read_p_data(pdu.body);
      if (!values) {
        peer_is_at_fault(Abort::Reason::invalid_parameter, std::move(values.error()));
        return std::nullopt;
      }
      static_cast<void>(step(event));
      values_ = std::move(*values);
      next_value_ = 0;
      return std::nullopt;
    }
    case Event::release_received:
      // A collision is no news to whoever has asked for release: the requestor answers first.
      static_cast<void>(step(event));
      if (state_ == State::collision_requestor_local) {
        write_release_rp(output_);
        static_cast<void>(step(Event::answer_release));
        return std::nullopt;
      }
      if (state_ == State::collision_acceptor_peer) return std::nullopt;
      return ReleaseRequested{};
    case Event::release_answer_received:
      static_cast<void>(step(event));
      if (state_ == State::collision_acceptor_local) {
        write_release_rp(output_);
        static_cast<void>(step(Event::answer_release));
      }
      return Released{};
    case Event::abort_received: {
      const bool was_over = state_ == State::awaiting_close;
      static_cast<void>(step(event));
      values_.clear();
      if (was_over) return std::nullopt;
      return Aborted{.abort = read_abort(pdu.body)};
    }
    default:
      return std::nullopt;
  }
}

std::optional<Happened> Association::take_request(const Pdu& pdu) {
  auto request = read_associate_request(pdu.body);
  if (!request) {
    // Another version is refused in the words that PS3.8 has for it (AE-6).
    if (request.error().code == ErrorCode::unsupported) {
      write_reject(output_, {.result = AssociateReject::Result::permanent,
                             .source = AssociateReject::Source::provider_acse,
                             .reason = 2});
      state_ = state_after(Action::ae_6, state_, true);
      return Aborted{.abort = {.source = Abort::Source::provider},
                     .error = std::move(request.error())};
    }
    peer_is_at_fault(Abort::Reason::invalid_parameter, std::move(request.error()));
    return std::nullopt;
  }
  static_cast<void>(step(Event::request_received));
  request_ = std::move(*request);
  return Requested{request_};
}

std::optional<Happened> Association::take_accept(const Pdu& pdu) {
  auto accept = read_associate_accept(pdu.body);
  Status fits = accept ? check_answer(request_, *accept) : std::unexpected(accept.error());
  if (!fits) {
    peer_is_at_fault(Abort::Reason::invalid_parameter, std::move(fits.error()));
    return std::nullopt;
  }
  static_cast<void>(step(Event::accept_received));
  agree(*accept);
  return Accepted{std::move(*accept)};
}

std::optional<Happened> Association::take_next_value() {
  const Pdv& pdv = values_[next_value_++];
  if (!contexts_.contains(pdv.context_id)) {
    peer_is_at_fault(Abort::Reason::invalid_parameter,
                     fail_malformed("pdu",
                                    "a message on a presentation context that was not agreed "
                                    "on.")
                         .error());
    return std::nullopt;
  }
  return pdv.is_command ? take_command(pdv) : take_data(pdv);
}

std::optional<Happened> Association::take_command(const Pdv& pdv) {
  const bool is_first = !incoming_.has_begun;
  if (incoming_.needs_data || (!is_first && pdv.context_id != incoming_.context_id)) {
    peer_is_at_fault(Abort::Reason::unexpected_parameter,
                     fail_malformed("command", "a command set within another message.").error());
    return std::nullopt;
  }
  if (pdv.fragment.size() > limits::dimse_command_bytes_max - incoming_.command.size()) {
    peer_is_at_fault(
        Abort::Reason::invalid_parameter,
        fail(ErrorCode::over_limit, "a command set of more than " +
                                        std::to_string(limits::dimse_command_bytes_max) + " bytes.")
            .error());
    return std::nullopt;
  }
  incoming_.has_begun = true;
  incoming_.context_id = pdv.context_id;
  append(incoming_.command, pdv.fragment);
  if (!pdv.is_last) return std::nullopt;
  auto command = read_command(incoming_.command);
  incoming_.command.clear();
  incoming_.has_begun = false;
  if (!command) {
    peer_is_at_fault(Abort::Reason::invalid_parameter, std::move(command.error()));
    return std::nullopt;
  }
  incoming_.needs_data = command->has_data_set;
  return CommandReceived{.context_id = pdv.context_id, .command = std::move(*command)};
}

std::optional<Happened> Association::take_data(const Pdv& pdv) {
  if (!incoming_.needs_data || pdv.context_id != incoming_.context_id) {
    peer_is_at_fault(
        Abort::Reason::unexpected_parameter,
        fail_malformed("pdu", "a data set that no command has announced on its context.").error());
    return std::nullopt;
  }
  if (pdv.is_last) incoming_.needs_data = false;
  return DataReceived{.context_id = pdv.context_id, .bytes = pdv.fragment, .is_last = pdv.is_last};
}

// --- what goes ---

void Association::sent(std::size_t count) {
  FIDUCIA_ASSERT(count <= output_.size() - sent_);
  sent_ += count;
  if (sent_ < output_.size()) return;
  output_.clear();
  sent_ = 0;
}

void Association::agree(const AssociateAccept& accept) {
  for (const AnsweredContext& answered : accept.contexts)
    if (answered.result == ContextResult::accepted)
      contexts_[answered.id] = {
          .abstract_syntax = find_proposed(request_, answered.id)->abstract_syntax,
          .transfer_syntax = answered.transfer_syntax};
  const std::uint32_t theirs =
      is_acceptor_ ? request_.user.p_data_bytes_max : accept.user.p_data_bytes_max;
  fragment_bytes_max_ =
      (theirs == 0 ? options_.p_data_bytes_max : std::min(theirs, options_.p_data_bytes_max)) -
      fragment_header_bytes;
}

std::string_view Association::transfer_syntax_of(std::uint8_t context_id) const {
  const auto found = contexts_.find(context_id);
  return found == contexts_.end() ? std::string_view{} : found->second.transfer_syntax;
}

std::string_view Association::abstract_syntax_of(std::uint8_t context_id) const {
  const auto found = contexts_.find(context_id);
  return found == contexts_.end() ? std::string_view{} : found->second.abstract_syntax;
}

std::optional<std::uint8_t> Association::find_context(
    std::string_view abstract_syntax, const std::vector<std::string>& transfer_syntaxes) const {
  for (const std::string& wanted : transfer_syntaxes)
    for (const auto& [id, context] : contexts_)
      if (context.abstract_syntax == abstract_syntax && context.transfer_syntax == wanted)
        return id;
  return std::nullopt;
}

Status Association::accept(AssociateAccept accept) {
  if (action_of(state_, Event::accept_association) == Action::none)
    return not_now("no association was requested.");
  accept.called_ae_title = request_.called_ae_title;
  accept.calling_ae_title = request_.calling_ae_title;
  accept.user.p_data_bytes_max = options_.p_data_bytes_max;
  if (accept.contexts.size() != request_.contexts.size())
    return not_now("every presentation context has to be answered.");
  if (const Status fits = check_answer(request_, accept); !fits) return not_now(fits.error().what);
  FIDUCIA_CHECK(write_associate_accept(output_, accept));
  FIDUCIA_CHECK(step(Event::accept_association));
  agree(accept);
  return {};
}

Status Association::reject(const AssociateReject& reject) {
  FIDUCIA_CHECK(step(Event::reject_association));
  write_reject(output_, reject);
  return {};
}

void Association::write_fragments(std::uint8_t context_id, bool is_command, ByteView bytes,
                                  bool is_last) {
  do {
    const std::size_t count = std::min<std::size_t>(bytes.size(), fragment_bytes_max_);
    write_p_data(output_, {.context_id = context_id,
                           .is_command = is_command,
                           .is_last = is_last && count == bytes.size(),
                           .fragment = bytes.first(count)});
    bytes = bytes.subspan(count);
  } while (!bytes.empty());
}

Status Association::send(std::uint8_t context_id, const Command& command) {
  if (!contexts_.contains(context_id))
    return not_now("a presentation context that was not agreed on.");
  if (outgoing_.needs_data) return not_now("the data set before is not complete.");
  FIDUCIA_TRY(bytes, write_command(command));
  FIDUCIA_CHECK(step(Event::send_data));
  write_fragments(context_id, true, bytes, true);
  outgoing_.context_id = context_id;
  outgoing_.needs_data = command.has_data_set;
  return {};
}

Status Association::send_data(std::uint8_t context_id, ByteView bytes, bool is_last) {
  if (!outgoing_.needs_data || context_id != outgoing_.context_id)
    return not_now("no command has announced a data set on this context.");
  FIDUCIA_CHECK(step(Event::send_data));
  if (bytes.empty() && !is_last) return {};
  write_fragments(context_id, false, bytes, is_last);
  if (is_last) outgoing_.needs_data = false;
  return {};
}

Status Association::request_release() {
  if (outgoing_.needs_data) return not_now("the data set before is not complete.");
  FIDUCIA_CHECK(step(Event::request_release));
  write_release_rq(output_);
  return {};
}

Status Association::answer_release() {
  if (state_ != State::awaiting_local_release) return not_now("nobody has asked for release.");
  FIDUCIA_CHECK(step(Event::answer_release));
  write_release_rp(output_);
  return {};
}

void Association::abort(Abort::Reason reason) {
  if (action_of(state_, Event::abort) == Action::none) return;
  const bool is_provider = reason != Abort::Reason::not_specified;
  write_abort(output_, {.source = is_provider ? Abort::Source::provider : Abort::Source::user,
                        .reason = reason});
  static_cast<void>(step(Event::abort));
  values_.clear();
  next_value_ = 0;
}

}  // namespace fiducia::dimse
