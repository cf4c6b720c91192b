// SPDX-License-Identifier: Apache-2.0
#include "dimse/session.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace fiducia::dimse {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t piece_bytes = 64 << 10;      // of a data set that is sent, or read at once
constexpr std::size_t small_read_bytes = 4 << 10;  // while no data set is on its way

/// Runs `work`, which belongs to a service: what it throws is its fault, not ours.
template <class Work>
auto guarded(Work& work) -> Result<decltype(work())> {
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::over_limit, "No memory is left for an association.");
  } catch (...) {
    return fail(ErrorCode::internal, "An association ended by an exception.");
  }
}

}  // namespace

Session::Session(Listener::State& listener, boost::asio::ip::tcp::socket socket, Peer peer,
                 std::string client, std::optional<crypto::TlsEngine> tls)
    : listener_(listener),
      transport_(std::move(socket), std::move(tls)),
      timer_(listener.io),
      peer_(std::move(peer)),
      client_(std::move(client)),
      since_(Steady::now()),
      association_(Association::acceptor(listener.options.association)) {}

void Session::start() {
  arm(milliseconds{listener_.options.request_timeout_ms});
  if (transport_.is_secure()) return shake_hands();
  begin();
}

// --- threads and time ----------------------------------------------------------------------------

/// Has a worker run `work`, then goes on with `then(result)` on the I/O thread.
template <class Work, class Then>
void Session::on_worker(Work work, Then then) {
  is_working_ = true;
  ++listener_.jobs;
  boost::asio::post(listener_.pool, [self = shared_from_this(), work = std::move(work),
                                     then = std::move(then)]() mutable {
    auto result = guarded(work);
    auto& io = self->listener_.io;
    boost::asio::post(
        io, [self = std::move(self), then = std::move(then), result = std::move(result)]() mutable {
          self->is_working_ = false;
          --self->listener_.jobs;
          if (self->is_closed_) {
            self->end({.how = Ending::How::lost});
            return self->listener_.finish_if_stopped();
          }
          if (!result) return self->fail_service(std::move(result.error()));
          then(std::move(result));
        });
  });
}

/// After `timeout` what is pending is given up, unless another `arm` or `disarm` comes first.
void Session::arm(Steady::duration timeout) {
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled && self->timer_.expiry() <= Steady::now()) self->time_out();
  });
}

/// The pending operation ends with an error, and whoever waits for it sees why.
void Session::time_out() {
  if (is_closed_ || is_working_) return;
  has_timed_out_ = true;
  transport_.cancel();
}

// --- the beginning -------------------------------------------------------------------------------

void Session::shake_hands() {
  transport_.shake_hands([self = shared_from_this()](error_code error, std::size_t) {
    if (self->is_closed_) return;
    auto certificate = self->transport_.peer_certificate();
    if (error || !certificate) return self->close();
    self->peer_.certificate = std::move(*certificate);
    self->begin();
  });
}

void Session::begin() {
  on_worker([this] { return listener_.make(peer_); },
            [this](Result<std::unique_ptr<Service>> made) {
              service_ = std::move(*made);
              if (service_ == nullptr) return close();
              go_on();
            });
}

// --- what happened -------------------------------------------------------------------------------

void Session::go_on() {
  if (is_closed_) return;
  while (auto happened = association_.next())
    if (!take(std::move(*happened))) return;
  if (asks_) return ask_service();
  flush([this] {
    if (association_.closes()) return close();
    if (listener_.stopping && !is_in_message_ && !is_ended_) return stop();
    read();
  });
}

/// Whether the next thing may be taken at once; if not, `go_on` comes later.
bool Session::take(Happened happened) {
  using How = Ending::How;
  if (std::holds_alternative<Requested>(happened)) {
    answer_request();
    return false;
  }
  if (const auto* command = std::get_if<CommandReceived>(&happened)) {
    take_command(*command);
    return false;
  }
  if (const auto* data = std::get_if<DataReceived>(&happened)) {
    take_data(*data);
    return false;
  }
  if (std::holds_alternative<ReleaseRequested>(happened)) {
    static_cast<void>(association_.answer_release());
    asks_ = false;
    end({.how = How::released});
    begin_closing();
  } else if (auto* aborted = std::get_if<Aborted>(&happened)) {
    const bool is_fault = aborted->error.has_value();
    end({.how = is_fault ? How::aborted_by_us : How::aborted_by_peer,
         .error = std::move(aborted->error)});
    asks_ = false;
    if (is_fault && !is_known_ && listener_.options.is_silent_to_strangers) {
      close();
      return false;
    }
    begin_closing();
  } else if (std::holds_alternative<ConnectionLost>(happened)) {
    end({.how = has_timed_out_ ? How::timed_out : How::lost});
  } else if (std::holds_alternative<TimedOut>(happened)) {
    end({.how = How::timed_out});
  }
  return true;
}

void Session::answer_request() {
  is_known_ = true;
  disarm();
  on_worker(
      [this] { return service_->begin(association_.request()); },
      [this](Result<std::variant<AssociateAccept, AssociateReject>> answer) {
        if (const auto* reject = std::get_if<AssociateReject>(&*answer)) {
          static_cast<void>(association_.reject(*reject));
          end({.how = Ending::How::aborted_by_us});
          begin_closing();
          return go_on();
        }
        if (const Status done = association_.accept(std::move(std::get<AssociateAccept>(*answer)));
            !done)
          return fail_service(done.error());
        begin_waiting();
        go_on();
      });
}

void Session::take_command(const CommandReceived& received) {
  const Command& command = received.command;
  const bool is_cancel = command.field == CommandField::c_cancel_rq;
  if (asks_ && !is_cancel && !is_response(command.field))
    return fail_service(
        fail_malformed("command", "a request came before the one before it was answered.").error());
  disarm();
  if (is_cancel)
    return on_worker([this, id = command.message_id] { service_->cancel(id); },
                     [this](const Status&) {
                       asks_ = true;
                       go_on();
                     });
  is_in_message_ = command.has_data_set;
  came_ = 0;
  waited_ = {};
  on_worker(
      [this, received] {
        service_->take(received.context_id, association_.transfer_syntax_of(received.context_id),
                       received.command);
      },
      [this](const Status&) {
        asks_ = !is_in_message_;
        go_on();
      });
}

void Session::take_data(const DataReceived& received) {
  disarm();
  // The bytes lie in the association, which nobody uses until the worker has them.
  on_worker([this, received] { service_->take_data(received.bytes, received.is_last); },
            [this, is_last = received.is_last](const Status&) {
              if (is_last) {
                is_in_message_ = false;
                asks_ = true;
              }
              go_on();
            });
}

// --- what is sent --------------------------------------------------------------------------------

void Session::ask_service() {
  disarm();
  on_worker([this] { return service_->next(); },
            [this](Result<std::optional<Outgoing>> outgoing) {
              if (*outgoing) return send(std::move(**outgoing));
              asks_ = false;
              begin_waiting();
              go_on();
            });
}

void Session::send(Outgoing outgoing) {
  if (const Status done = association_.send(outgoing.context_id, outgoing.command); !done)
    return fail_service(done.error());
  const bool is_pending_now = outgoing.command.status && is_pending(*outgoing.command.status);
  if (outgoing.command.has_data_set) {
    sending_ = std::move(outgoing);
    sends_pending_ = is_pending_now;
    return send_data();
  }
  flush([this, is_pending_now] { after_message(is_pending_now); });
}

void Session::send_data() {
  piece_.resize(piece_bytes);
  on_worker(
      [this]() -> Result<std::size_t> {
        if (!sending_->data_set) return std::size_t{0};
        return sending_->data_set->read(piece_);
      },
      [this](Result<Result<std::size_t>> read) {
        if (!*read) return fail_service(std::move(read->error()));
        const std::size_t count = **read;
        const bool is_last = count == 0;
        if (const Status done = association_.send_data(sending_->context_id,
                                                       ByteView{piece_}.first(count), is_last);
            !done)
          return fail_service(done.error());
        flush([this, is_last] {
          if (!is_last) return send_data();
          piece_ = {};
          // A source may block when it goes: that is a worker's business.
          on_worker([source = std::move(sending_->data_set)]() mutable { source.reset(); },
                    [this](const Status&) {
                      sending_.reset();
                      after_message(sends_pending_);
                    });
        });
      });
}

/// Between two of many responses the peer may have said that it wants no more.
void Session::after_message(bool is_pending_now) {
  if (is_pending_now && transport_.has_unread()) {
    begin_waiting();
    return read();
  }
  go_on();
}

void Session::flush(std::move_only_function<void()> then) {
  if (association_.output().empty()) return then();
  output_.assign(association_.output().begin(), association_.output().end());
  association_.sent(output_.size());
  if (is_known_) arm(milliseconds{listener_.options.data_timeout_ms});
  const std::array<ByteView, 1> parts{output_};
  transport_.write(parts, [self = shared_from_this(), then = std::move(then)](error_code error,
                                                                              std::size_t) mutable {
    if (self->is_closed_) return;
    self->output_.clear();
    if (error) {
      self->association_.connection_closed();
      self->asks_ = false;
      return self->go_on();
    }
    then();
  });
}

// --- what is read --------------------------------------------------------------------------------

/// A whole message is due within the idle time, however its bytes come.
void Session::begin_waiting() {
  deadline_ = Steady::now() + milliseconds{listener_.options.idle_timeout_ms};
}

/// The peer has ARTIM's time to close.
void Session::begin_closing() {
  deadline_ = Steady::now() + milliseconds{listener_.options.request_timeout_ms};
}

void Session::read() {
  if (is_in_message_)
    arm(milliseconds{listener_.options.data_timeout_ms});
  else if (is_known_ || is_ended_)
    arm(std::max(deadline_ - Steady::now(), Steady::duration{0}));
  input_.resize(is_in_message_ ? piece_bytes : small_read_bytes);
  waits_since_ = Steady::now();
  transport_.read_some(input_, [self = shared_from_this()](error_code error, std::size_t count) {
    self->take_bytes(error, count);
  });
}

void Session::take_bytes(error_code error, std::size_t count) {
  if (is_closed_) return;
  if (has_timed_out_) {
    if (!is_known_ || is_ended_) {
      end({.how = Ending::How::timed_out});
      return close();
    }
    association_.abort();
    end({.how = Ending::How::timed_out});
    return flush([this] { close(); });
  }
  if (error) {
    association_.connection_closed();
    return go_on();
  }
  transport_.acknowledge_at_once();
  waited_ += Steady::now() - waits_since_;
  came_ += count;
  if (is_too_slow()) {
    association_.abort();
    end({.how = Ending::How::timed_out});
    return flush([this] { close(); });
  }
  association_.receive(ByteView{input_}.first(count));
  go_on();
}

bool Session::is_too_slow() const {
  const auto waited_ms = std::chrono::duration_cast<milliseconds>(waited_).count();
  if (!is_in_message_ || waited_ms <= listener_.options.data_timeout_ms) return false;
  return came_ <
         static_cast<std::uint64_t>(waited_ms) * listener_.options.bytes_per_second_min / 1'000;
}

// --- the end -------------------------------------------------------------------------------------

void Session::fail_service(Error error) {
  association_.abort();
  asks_ = false;
  end({.how = Ending::How::aborted_by_us, .error = std::move(error)});
  if (!is_known_ && listener_.options.is_silent_to_strangers) return close();
  begin_closing();
  go_on();
}

/// Tells the service, once, and lets it go: both may block, so a worker does.
void Session::end(Ending ending) {
  if (is_working_) return;  // its end comes here again
  is_in_message_ = false;
  if (std::exchange(is_ended_, true) || service_ == nullptr) return;
  boost::asio::post(listener_.pool, [service = std::move(service_), ending = std::move(ending),
                                     sending = std::move(sending_)]() mutable {
    sending.reset();
    service->end(ending);
    service.reset();
  });
  sending_.reset();
}

void Session::stop_when_idle() {
  if (!is_working_ && !is_in_message_ && !asks_ && output_.empty()) stop();
}

void Session::stop() {
  if (is_closed_) return;
  if (!is_known_ || is_ended_) return close();
  association_.abort();
  end({.how = Ending::How::aborted_by_us});
  flush([this] { close(); });
}

void Session::close() {
  if (std::exchange(is_closed_, true)) return;
  transport_.close();
  timer_.cancel();
  end({.how = Ending::How::lost});
  listener_.remove(this);
}

}  // namespace fiducia::dimse
