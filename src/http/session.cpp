// SPDX-License-Identifier: Apache-2.0
#include "http/session.h"

#include <algorithm>
#include <array>

#include "http/grammar.h"

namespace fiducia::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t head_read_bytes = 4'096;
/// A stream moves in pieces of this size; also what counts as progress.
constexpr std::size_t piece_bytes = 64 << 10;
/// What a client still sends after a response that ends the connection is read and thrown away, up
/// to here: closing with unread bytes would make its system discard the response.
constexpr std::uint64_t drained_bytes_max = 1 << 20;
constexpr milliseconds drain_timeout{2'000};

/// Runs what others wrote; whatever it throws ends here.
template <class Work>
Response answered(const Work& work) {
  try {
    Response response = work();
    return is_sound(response) ? std::move(response) : plain_response(500, "Internal error.");
  } catch (const std::bad_alloc&) {
    return plain_response(503, "Out of memory; try again later.");
  } catch (...) {
    return plain_response(500, "Internal error.");
  }
}

}  // namespace

Session::Session(Server::State& server, boost::asio::ip::tcp::socket socket,
                 const boost::asio::ip::address& address, std::string client,
                 std::optional<crypto::TlsEngine> tls)
    : server_(server),
      transport_(std::move(socket), std::move(tls)),
      timer_(server.io),
      peer_(address.to_string()),
      client_(std::move(client)),
      progress_at_(Steady::now()) {}

void Session::start() {
  if (transport_.is_secure()) return shake_hands();
  // Whoever connects has something to say at once.
  next_request(milliseconds{server_.options.request_timeout_ms});
}

bool Session::may_be_evicted() const {
  if (phase_ == Phase::working || phase_ == Phase::closed) return false;
  const bool listens =
      phase_ == Phase::shaking || phase_ == Phase::waiting || phase_ == Phase::reading;
  return !listens || !transport_.has_unread();
}

void Session::close() {
  if (phase_ == Phase::closed) return;
  const bool is_working = phase_ == Phase::working;
  phase_ = Phase::closed;
  transport_.close();
  timer_.cancel();
  if (!is_working) let_go();  // else the worker's end does
  server_.remove(this);
}

/// What others wrote may block when it is destroyed: that is a worker's business.
void Session::let_go() {
  if (!receiver_ && !response_.source) return;
  boost::asio::post(server_.pool, [receiver = std::move(receiver_),
                                   source = std::move(response_.source)]() mutable {
    receiver.reset();
    source.reset();
  });
}

/// After `timeout` what is pending is given up, unless another `arm` or `disarm` comes first.
void Session::arm(Steady::duration timeout) {
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled && self->timer_.expiry() <= Steady::now()) self->time_out();
  });
}

void Session::time_out() {
  if (phase_ != Phase::reading) return close();
  timed_out_ = true;
  transport_.cancel();  // the pending read ends with an error, and the client is told
}

/// Has a worker run `work`, then goes on with `then(result)`. `work` throws nothing.
template <class Work, class Then>
void Session::on_worker(Work work, Then then) {
  disarm();
  phase_ = Phase::working;
  boost::asio::post(server_.pool, [self = shared_from_this(), work = std::move(work),
                                   then = std::move(then)]() mutable {
    auto result = work();
    auto& io = self->server_.io;
    boost::asio::post(
        io, [self = std::move(self), then = std::move(then), result = std::move(result)]() mutable {
          self->progress_at_ = Steady::now();
          if (self->phase_ != Phase::closed) return then(std::move(result));
          boost::asio::post(self->server_.pool,
                            [result = std::move(result)] { static_cast<void>(result); });
          self->let_go();
        });
  });
}

// --- what was received ---------------------------------------------------------------------------

std::span<std::byte> Session::unused_bytes() {
  return std::span{input_}.subspan(input_begin_, unused());
}

void Session::use(std::size_t count) {
  input_begin_ += count;
  if (input_begin_ == input_end_) input_begin_ = input_end_ = 0;
}

/// Room for `count` bytes behind what is there.
std::span<std::byte> Session::room_for(std::size_t count) {
  if (input_begin_ > 0) {
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(input_begin_),
              input_.begin() + static_cast<std::ptrdiff_t>(input_end_), input_.begin());
    input_end_ -= std::exchange(input_begin_, 0);
  }
  if (input_.size() < input_end_ + count) input_.resize(input_end_ + count);
  return std::span{input_}.subspan(input_end_, count);
}

/// Takes up to `count` more bytes, then goes on with `then(error)`.
template <class Then>
void Session::receive(std::size_t count, Then then) {
  transport_.read_some(room_for(count), [self = shared_from_this(), then = std::move(then)](
                                            error_code error, std::size_t received) mutable {
    if (self->phase_ == Phase::closed) return;
    self->input_end_ += received;
    then(error, received);
  });
}

// --- reading a request ---------------------------------------------------------------------------

void Session::shake_hands() {
  phase_ = Phase::shaking;
  since_ = Steady::now();
  arm(milliseconds{server_.options.handshake_timeout_ms});
  transport_.shake_hands([self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ == Phase::closed) return;
    auto certificate = self->transport_.peer_certificate();
    if (!error && certificate) {
      self->certificate_ = std::move(*certificate);
      return self->next_request(milliseconds{self->server_.options.request_timeout_ms});
    }
    self->served_ = {.peer = self->peer_, .method = {}, .path = {}};
    if (!certificate) self->served_.tls_error = certificate.error().what;
    if (const auto& reason = self->transport_.tls_error()) self->served_.tls_error = reason->what;
    if (self->served_.tls_error.empty()) return self->close();
    self->tell_log();
    self->finish();  // the alert is on its way
  });
}

void Session::next_request(Steady::duration patience) {
  timed_out_ = false;
  scan_ = {};
  request_ = {};
  head_ = {};
  route_ = nullptr;
  skips_ = false;
  chunks_.reset();
  body_bytes_ = 0;
  body_is_whole_ = false;
  served_ = {.peer = peer_, .method = {}, .path = {}};
  output_ = {};
  if (unused() == 0) input_ = {};  // a stream's buffer is large
  phase_ = Phase::waiting;
  if (unused() > 0) return read_head();  // pipelined
  arm(patience);
  receive(head_read_bytes, [this](error_code error, std::size_t) {
    if (error) return close();
    read_head();
  });
}

void Session::read_head() {
  phase_ = Phase::reading;
  since_ = progress_at_ = Steady::now();
  arm(milliseconds{server_.options.request_timeout_ms});
  scan_head();
}

void Session::scan_head() {
  const auto found = scan_.scan(as_text(unused_bytes()));
  if (found == HeadScan::Found::malformed) return end_with(plain_response(400, "Bad request."));
  const std::size_t head_bytes = found == HeadScan::Found::end ? scan_.end() : unused();
  const std::size_t bytes_max = server_.options.header_bytes_max;
  if (head_bytes > bytes_max || (found == HeadScan::Found::not_yet && head_bytes == bytes_max))
    return end_with(plain_response(431, "The header of the request is too long."));
  if (found == HeadScan::Found::end) return take_head();
  receive(std::min(head_read_bytes, bytes_max - head_bytes), [this](error_code error, std::size_t) {
    if (error || timed_out_) return refuse();
    scan_head();
  });
}

void Session::take_head() {
  const std::string_view text =
      as_text(unused_bytes()).substr(scan_.begin(), scan_.end() - scan_.begin());
  auto head = read_request_head(text);
  use(scan_.end());
  if (!head) return end_with(plain_response(head.error(), "Bad request."));
  head_ = std::move(*head);
  served_.method = head_.method;
  body_is_whole_ = !head_.is_chunked && head_.length_bytes == 0;
  const bool is_asterisk = head_.target == "*" && head_.method == "OPTIONS";
  const auto target =
      is_asterisk ? TargetParts{.path = "*", .query = {}} : read_target(head_.target);
  if (!target) return end_with(plain_response(400, "Bad request."));
  served_.path = target->path;
  if (!server_.rate.take(client_, Steady::now())) {
    Response response = plain_response(429, "Too many requests; wait a second.");
    response.headers.emplace_back("retry-after", "1");
    return end_with(std::move(response));
  }
  if (is_asterisk) return answer_early(server_.routes.options());
  request_ = {.method = head_.method,
              .path = std::string{target->path},
              .query = std::string{target->query},
              .headers = std::move(head_.headers),
              .body = {},
              .peer = peer_,
              .parameters = {},
              .client_certificate = certificate_};
  route(request_.path);
}

void Session::route(std::string_view path) {
  auto found = server_.routes.find(head_.method, path);
  if (auto* response = std::get_if<Response>(&found)) return answer_early(std::move(*response));
  auto& match = std::get<Routes::Match>(found);
  route_ = match.route;
  request_.parameters = std::move(match.parameters);
  body_bytes_max_ = route_->body_bytes_max.value_or(server_.options.body_bytes_max);
  if (head_.length_bytes > body_bytes_max_)
    return end_with(plain_response(413, "The body of the request is too long."));
  const auto* stream = std::get_if<StreamHandler>(&route_->handler);
  if (stream == nullptr) return begin_body();
  using Opened = std::variant<Response, std::unique_ptr<Receiver>>;
  on_worker(
      [this, stream]() -> Opened {
        std::unique_ptr<Receiver> receiver;
        Response response = answered([&] {
          auto opened = (*stream)(request_);
          if (auto* early = std::get_if<Response>(&opened)) return std::move(*early);
          receiver = std::move(std::get<std::unique_ptr<Receiver>>(opened));
          return Response{.status = receiver ? 200U : 500U};
        });
        if (receiver) return receiver;
        return response;
      },
      [this](Opened opened) {
        if (auto* response = std::get_if<Response>(&opened))
          return answer_early(std::move(*response));
        receiver_ = std::move(std::get<std::unique_ptr<Receiver>>(opened));
        begin_body();
      });
}

/// Answers without the body. One that is short and on its way is read over, so that the connection
/// can be used again; a client that asked whether to send it is told not to.
void Session::answer_early(Response response) {
  if (body_is_whole_) return respond(std::move(response));
  const bool is_short = !head_.is_chunked && head_.length_bytes <= limits::http_skipped_bytes_max;
  if (!is_short || head_.expects_continue) return end_with(std::move(response));
  early_ = std::move(response);
  skips_ = true;
  body_bytes_max_ = limits::http_skipped_bytes_max;
  begin_transfer();
  read_body();
}

void Session::begin_body() {
  begin_transfer();
  if (head_.is_chunked) chunks_.emplace();
  if (body_is_whole_) return deliver(0, 0, true);
  if (!head_.expects_continue || unused() > 0) return read_body();
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  const std::array<ByteView, 1> parts{as_bytes(go_on)};
  phase_ = Phase::writing;
  begin_wait();
  transport_.write(parts, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ == Phase::closed) return;
    self->end_wait();
    if (error) return self->close();
    self->read_body();
  });
}

void Session::read_body() {
  phase_ = Phase::reading;
  if (unused() > 0) return take_body();
  begin_wait();
  // A short body need not have a stream's buffer.
  const std::uint64_t left = head_.is_chunked ? piece_bytes : head_.length_bytes - body_bytes_;
  receive(static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, left)),
          [this](error_code error, std::size_t) {
            end_wait();
            if (error || timed_out_) return refuse();
            take_body();
          });
}

void Session::take_body() {
  std::size_t used = 0;
  std::size_t payload = 0;
  if (chunks_) {
    const auto progress = chunks_->read(unused_bytes());
    if (!progress) return end_with(plain_response(400, "Bad request."));
    used = progress->taken;
    payload = progress->payload;
    body_is_whole_ = chunks_->is_done();
  } else {
    used = payload = static_cast<std::size_t>(
        std::min<std::uint64_t>(unused(), head_.length_bytes - body_bytes_));
    body_is_whole_ = body_bytes_ + payload == head_.length_bytes;
  }
  body_bytes_ += payload;
  if (body_bytes_ > body_bytes_max_)
    return end_with(plain_response(413, "The body of the request is too long."));
  count_moved(payload);
  deliver(used, payload, body_is_whole_);
}

/// Hands on the payload at the beginning of the `used` unused bytes.
void Session::deliver(std::size_t used, std::size_t payload, bool is_last) {
  if (skips_) {
    use(used);
    return is_last ? respond(std::move(early_)) : read_body();
  }
  const ByteView bytes = unused_bytes().first(payload);
  if (!receiver_) {
    try {
      append(request_.body, bytes);
    } catch (const std::bad_alloc&) {
      return end_with(plain_response(503, "Out of memory; try again later."));
    }
    use(used);
    return is_last ? answer_whole() : read_body();
  }
  if (payload == 0 && !is_last) {
    use(used);
    return read_body();
  }
  on_worker(
      [this, bytes, is_last]() -> Answer {
        bool goes_on = false;
        Response response = answered([&] {
          const Status taken = bytes.empty() ? Status{} : receiver_->write(bytes);
          if (!taken || is_last) return receiver_->answer(taken);
          goes_on = true;
          return Response{};
        });
        if (goes_on) return std::nullopt;
        receiver_.reset();
        return response;
      },
      [this, used, is_last](Answer answer) {
        use(used);
        if (!answer) return read_body();
        if (is_last) return respond(std::move(*answer));
        end_with(std::move(*answer));
      });
}

void Session::answer_whole() {
  on_worker(
      [this] { return answered([&] { return std::get<Handler>(route_->handler)(request_); }); },
      [this](Response response) { respond(std::move(response)); });
}

/// Answers a request that could not be read to its end, where there is somebody to answer.
void Session::refuse() {
  if (!timed_out_) return close();
  end_with(plain_response(408, "The request took too long."));
}

void Session::end_with(Response response) {
  body_is_whole_ = false;
  respond(std::move(response));
}

// --- writing a response --------------------------------------------------------------------------

void Session::respond(Response response) {
  if (receiver_) let_go();
  phase_ = Phase::writing;
  // A full server wants its connections back; so does one that stops. After bytes that were not
  // read nobody knows where the next request begins.
  keep_alive_ = head_.keep_alive && body_is_whole_ && !server_.stopping && server_.accepting;
  response_ = std::move(response);
  served_.status = response_.status;
  served_.body_bytes = 0;
  plan_body();
  begin_transfer();
  write_next();
}

/// Decides how the body is framed, and writes the head.
void Session::plan_body() {
  std::optional<std::uint64_t> length = response_.body.size();
  if (response_.source) length = response_.source->length_bytes();
  if (served_.method == "HEAD" || !may_have_body(response_.status)) {
    framing_ = Framing::none;
    let_go();
    response_.body = {};
  } else if (length) {
    framing_ = Framing::length;
  } else {
    framing_ = head_.minor_version > 0 ? Framing::chunked : Framing::to_the_end;
  }
  if (framing_ == Framing::to_the_end) keep_alive_ = false;
  announced_bytes_ = framing_ == Framing::length ? *length : 0;
  head_text_ = write_head(response_, framing_, length, keep_alive_);
}

/// The next piece of the body, the first one together with the head.
void Session::write_next() {
  const ByteView head = as_bytes(head_text_);
  if (framing_ == Framing::none) return write_piece(std::array{head}, 0, true);
  if (!response_.source) {
    const ByteView rest = ByteView{response_.body}.subspan(served_.body_bytes);
    const ByteView piece = rest.first(std::min(rest.size(), piece_bytes));
    return write_piece(std::array{head, piece}, piece.size(), piece.size() == rest.size());
  }
  if (!head.empty())
    return write_piece(std::array{head}, 0, announced_bytes_ == 0 && framing_ == Framing::length);
  on_worker(
      [this]() -> std::optional<std::size_t> {
        try {
          output_.resize(chunk_prefix_bytes + piece_bytes + 2);
          const auto room = std::span{output_}.subspan(chunk_prefix_bytes, piece_bytes);
          const auto count = response_.source->read(room);
          if (count && *count <= room.size()) return *count;
        } catch (...) {  // the connection ends, which tells the client
        }
        return std::nullopt;
      },
      [this](std::optional<std::size_t> count) {
        if (!count) return end_response(false);
        write_from_source(*count);
      });
}

/// Writes what the source put into `output_`.
void Session::write_from_source(std::size_t count) {
  phase_ = Phase::writing;
  ByteView piece = ByteView{output_}.subspan(chunk_prefix_bytes, count);
  if (framing_ == Framing::chunked) {
    static constexpr std::string_view last_chunk = "0\r\n\r\n";
    if (count == 0) return write_piece(std::array{as_bytes(last_chunk)}, 0, true);
    const auto prefix = std::span{output_}.first<chunk_prefix_bytes>();
    const std::size_t prefix_bytes = write_chunk_size(prefix, count);
    output_[chunk_prefix_bytes + count] = std::byte{'\r'};
    output_[chunk_prefix_bytes + count + 1] = std::byte{'\n'};
    piece = ByteView{output_}.subspan(chunk_prefix_bytes - prefix_bytes, prefix_bytes + count + 2);
    return write_piece(std::array{piece}, count, false);
  }
  if (framing_ == Framing::to_the_end) return write_piece(std::array{piece}, count, count == 0);
  // Held to what was announced: neither less nor more.
  const std::uint64_t left = announced_bytes_ - served_.body_bytes;
  if (count == 0 || count > left) return end_response(false);
  write_piece(std::array{piece}, count, count == left);
}

void Session::write_piece(std::span<const ByteView> parts, std::size_t body_bytes, bool is_last) {
  begin_wait();
  transport_.write(parts,
                   [self = shared_from_this(), body_bytes, is_last](error_code error, std::size_t) {
                     self->end_wait();
                     self->count_moved(body_bytes);
                     self->head_text_.clear();
                     if (!error) self->served_.body_bytes += body_bytes;
                     if (self->phase_ == Phase::closed || error || is_last)
                       return self->end_response(!error && is_last);
                     self->write_next();
                   });
}

/// `is_whole`: the client can tell where the response ended.
void Session::end_response(bool is_whole) {
  tell_log();
  let_go();
  response_ = {};
  if (phase_ == Phase::closed) return;
  if (!is_whole) return close();
  if (keep_alive_ && !server_.stopping)
    return next_request(milliseconds{server_.options.idle_timeout_ms});
  finish();
}

/// Says that nothing follows, and waits for the client to have read it.
void Session::finish() {
  phase_ = Phase::draining;
  arm(drain_timeout);
  transport_.end([self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ == Phase::closed) return;
    if (error || self->server_.stopping) return self->close();
    self->drain(0);
  });
}

void Session::drain(std::uint64_t drained_bytes) {
  transport_.discard_some(
      [self = shared_from_this(), drained_bytes](error_code error, std::size_t count) {
        if (self->phase_ == Phase::closed) return;
        if (error || drained_bytes + count > drained_bytes_max) return self->close();
        self->drain(drained_bytes + count);
      });
}

void Session::tell_log() {
  served_.duration = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - since_);
  if (server_.log) server_.log(served_);
}

// --- the client's time ---------------------------------------------------------------------------

void Session::begin_transfer() {
  waited_ = waited_in_all_ = {};
  moved_bytes_ = 0;
}

void Session::begin_wait() {
  waits_since_ = Steady::now();
  const Steady::duration for_piece = milliseconds{server_.options.body_timeout_ms} - waited_;
  const Steady::duration in_all =
      milliseconds{server_.options.transfer_timeout_ms} - waited_in_all_;
  arm(std::max<Steady::duration>(std::min(for_piece, in_all), {}));
}

void Session::end_wait() {
  const auto time = Steady::now() - waits_since_;
  waited_ += time;
  waited_in_all_ += time;
}

void Session::count_moved(std::uint64_t bytes) {
  moved_bytes_ += bytes;
  if (moved_bytes_ < piece_bytes) return;
  moved_bytes_ = 0;
  waited_ = {};
  progress_at_ = Steady::now();
}

}  // namespace fiducia::http
