// SPDX-License-Identifier: Apache-2.0
// fiducia-codec: decodes frames for its parent, confined (src/codec/README.md).
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "codec/protocol.h"
#include "decoder.h"
#include "sandbox.h"

namespace fiducia::decoder {
namespace {

namespace protocol = codec::protocol;
using protocol::Answer;
using protocol::Response;

constexpr int exit_usage = 1;
constexpr int exit_not_confined = 2;

/// Reads one message. Empty at the end of the connection.
Bytes receive() {
  Bytes message(protocol::message_bytes_max);
  for (;;) {
    const ssize_t got = read(protocol::socket_fd, message.data(), message.size());
    if (got < 0 && errno == EINTR) continue;
    message.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return message;
  }
}

bool answer(const Response& response) {
  const Bytes message = protocol::write_response(response);
  return write(protocol::socket_fd, message.data(), message.size()) ==
         static_cast<ssize_t>(message.size());
}

Response refusal(Answer answer, std::string sentence) {
  Response response;
  response.answer = answer;
  response.sentence = std::move(sentence);
  return response;
}

Response decode_request(const protocol::Request& request, std::byte* memory, Decoder& decoder) {
  const ByteView codestream{memory, static_cast<std::size_t>(request.input_bytes)};
  const std::span<std::byte> out{memory + protocol::output_offset,
                                 static_cast<std::size_t>(request.geometry.frame_bytes())};
  auto outcome = [&] {
    switch (request.turn) {
      case protocol::Turn::first:
        return decoder.decode_first(request.encoding, codestream, request.geometry, out);
      case protocol::Turn::next:
        return decoder.decode_next(request.encoding, codestream, request.geometry,
                                   request.rendition, out);
      default:
        return decoder.decode(request.encoding, codestream, request.geometry, out);
    }
  }();
  if (!outcome) {
    const ErrorCode code = outcome.error().code;
    return refusal(code == ErrorCode::codec_missing
                       ? Answer::codec_missing
                       : (code == ErrorCode::over_limit ? Answer::too_big : Answer::refused),
                   std::move(outcome.error().what));
  }
  return Response{.answer = Answer::decoded,
                  .output_bytes = out.size(),
                  .lossless = outcome->lossless,
                  .oddities = outcome->oddities,
                  .photometric_interpretation = std::move(outcome->photometric_interpretation),
                  .decoder = std::move(outcome->decoder),
                  .sentence = {}};
}

int serve() {
  struct stat info = {};
  if (fstat(protocol::memory_fd, &info) != 0 ||
      static_cast<std::uint64_t>(info.st_size) != protocol::memory_bytes) {
    std::fputs("fiducia-codec is started by fiducia; it does nothing by itself.\n", stderr);
    return exit_usage;
  }
  void* const mapped = mmap(nullptr, protocol::memory_bytes, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_NORESERVE, protocol::memory_fd, 0);
  if (mapped == MAP_FAILED) return exit_usage;
  auto* const memory = static_cast<std::byte*>(mapped);
  close(protocol::memory_fd);
  prepare();

  const char* const permission = getenv("FIDUCIA_CODEC_UNSANDBOXED");
  const bool may_run_open = permission != nullptr && std::string_view{permission} == "1";
  const Sandbox sandbox = close_sandbox();
  Decoder decoder;
  const bool may_decode = sandbox.closed || may_run_open;
  for (;;) {
    const Bytes message = receive();
    if (message.empty()) return 0;
    if (!may_decode) {
      if (!answer(refusal(Answer::refused,
                          "the decoder cannot be confined here (" + sandbox.reason + ").")))
        return 0;
      continue;
    }
    const auto request = protocol::read_request(message);
    const Response response = request ? decode_request(*request, memory, decoder)
                                      : refusal(Answer::refused, request.error().what);
    if (!answer(response)) return 0;
  }
}

int run_self_test() {
  prepare();
  constexpr std::uint64_t report_bytes_max = 64 << 10;  // standard output may be a file
  const Sandbox sandbox = close_sandbox(report_bytes_max);
  if (!sandbox.closed) {
    const std::string line = "not confined: " + sandbox.reason + "\n";
    return write(1, line.data(), line.size()) < 0 ? exit_usage : exit_not_confined;
  }
  const std::string line =
      "seccomp: in force\nlandlock: " +
      (sandbox.landlock_abi > 0 ? "version " + std::to_string(sandbox.landlock_abi)
                                : std::string("not in this kernel")) +
      "\n";
  if (write(1, line.data(), line.size()) < 0) return exit_usage;
  return test_sandbox() ? 0 : exit_not_confined;
}

}  // namespace
}  // namespace fiducia::decoder

int main(int argc, char** argv) {
  // Before any DCMTK code runs: its data dictionary, 10 ms to load, means nothing to decoders.
  setenv("DCMDICTPATH", "", 1);
  const std::string_view argument = argc == 2 ? argv[1] : "";
  int status = 1;
  if (argc == 1) {
    status = fiducia::decoder::serve();
  } else if (argument == "--self-test-sandbox") {
    status = fiducia::decoder::run_self_test();
  } else if (argument == "--version") {
    std::fputs(fiducia::decoder::decoder_list().c_str(), stdout);
    std::fflush(stdout);
    status = 0;
  } else {
    std::fputs("usage: fiducia-codec [--version | --self-test-sandbox]\n", stderr);
  }
  // Exit handlers of libraries want files and threads that are gone by now.
  _exit(status);
}
