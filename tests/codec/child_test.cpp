// SPDX-License-Identifier: Apache-2.0
#include "codec/child.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include "image_file.h"
#include "support/support.h"

namespace fiducia::codec {
namespace {

using dicom::PixelEncoding;

const std::string program = test::program("fiducia-codec").string();

Geometry grey(std::uint32_t rows, std::uint32_t columns, std::uint16_t bits) {
  Geometry g;
  g.rows = rows;
  g.columns = columns;
  g.bits_allocated = bits;
  g.bits_stored = bits;
  g.high_bit = static_cast<std::uint16_t>(bits - 1);
  g.photometric_interpretation = "MONOCHROME2";
  return g;
}

std::vector<pid_t> children_of_this_process() {
  std::vector<pid_t> out;
  std::ifstream list("/proc/self/task/" + std::to_string(getpid()) + "/children");
  for (pid_t pid = 0; list >> pid;) out.push_back(pid);
  return out;
}

constexpr PixelEncoding encodings[] = {PixelEncoding::jpeg_baseline, PixelEncoding::jpeg_extended,
                                       PixelEncoding::jpeg_lossless, PixelEncoding::jpeg_ls,
                                       PixelEncoding::jpeg_2000,     PixelEncoding::htj2k,
                                       PixelEncoding::jpeg_xl};

/// A JPEG 2000 main header that declares `width` x `height` at 8 bits.
Bytes jpeg_2000_header(std::uint32_t width, std::uint32_t height) {
  Bytes b = test::bytes("ff4fff5100290000");
  append_be(b, width);
  append_be(b, height);
  for (const std::uint32_t v : {0U, 0U, width, height, 0U, 0U}) append_be(b, v);
  append(b, test::bytes("0001070101"));
  append(b, test::bytes("ff52000c00000001000104040001"));
  append(b, test::bytes("ff5c00044008"));
  append(b, test::bytes("ff90000a0000000000000001ff93ffd9"));
  return b;
}

TEST(CodecChild, says_that_a_missing_program_is_missing) {
  CodecChild child{"/nonexistent/fiducia-codec"};
  const Bytes stream = test::bytes("ffd8ffd9");
  const ByteView piece{stream};
  const auto got = child.decode(PixelEncoding::jpeg_ls, grey(1, 1, 8), {&piece, 1});
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::codec_missing);
}

TEST(CodecChild, says_that_a_program_that_ends_at_once_failed) {
  const Bytes stream = test::bytes("ffd8ffd9");
  const ByteView piece{stream};
  CodecChild child{"/bin/true"};
  const auto got = child.decode(PixelEncoding::jpeg_ls, grey(1, 1, 8), {&piece, 1});
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::codec_failed) << to_sentence(got.error());
}

TEST(CodecChild, that_never_answers_is_given_up_and_killed) {
  const Bytes stream = test::bytes("ffd8ffd9");
  const ByteView piece{stream};
  CodecChild child{"/bin/cat", 200};  // reads the request, prints it to nowhere, waits
  const auto start = std::chrono::steady_clock::now();
  const auto got = child.decode(PixelEncoding::jpeg_ls, grey(1, 1, 8), {&piece, 1});
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::codec_failed);
  EXPECT_NE(got.error().what.find("longer than 200 ms"), std::string::npos) << got.error().what;
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{200});
  EXPECT_TRUE(children_of_this_process().empty());
}

TEST(CodecChild, refuses_random_and_empty_streams_of_every_codec_and_lives_on) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  CodecChild child{program};
  for (const PixelEncoding encoding : encodings)
    for (int round = 0; round < 30; ++round) {
      Bytes stream = test::random_bytes(prng, round == 0 ? 0 : prng() % 2000);
      // Past the first check, so that headers are met as well.
      const char* start = encoding == PixelEncoding::jpeg_2000 || encoding == PixelEncoding::htj2k
                              ? "ff4fff51"
                              : (encoding == PixelEncoding::jpeg_xl ? "ff0a" : "ffd8ff");
      if (round % 2 == 1) {
        const Bytes prefix = test::bytes(start);
        stream.insert(stream.begin(), prefix.begin(), prefix.end());
      }
      const ByteView piece{stream};
      const auto got = child.decode(encoding, grey(64, 64, 8), {&piece, 1});
      ASSERT_FALSE(got.has_value());
      const bool plain = got.error().code == ErrorCode::codec_failed ||
                         got.error().code == ErrorCode::codec_missing;
      ASSERT_TRUE(plain) << to_sentence(got.error());
    }
}

TEST(CodecChild, refuses_a_bomb_before_it_decodes) {
  CodecChild child{program};
  const Bytes stream = jpeg_2000_header(60000, 60000);
  const ByteView piece{stream};
  const auto start = std::chrono::steady_clock::now();
  for (const PixelEncoding encoding : {PixelEncoding::jpeg_2000, PixelEncoding::htj2k}) {
    const auto got = child.decode(encoding, grey(64, 64, 8), {&piece, 1});
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, ErrorCode::codec_failed);
    EXPECT_NE(got.error().what.find("rows or columns"), std::string::npos) << got.error().what;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{20});
}

TEST(CodecChild, that_was_killed_while_idle_costs_nothing) {
  CodecChild child{program};
  const Bytes stream = jpeg_2000_header(60000, 60000);
  const ByteView piece{stream};
  const auto sentence = [&] {
    return child.decode(PixelEncoding::jpeg_2000, grey(64, 64, 8), {&piece, 1}).error().what;
  };
  const std::string expected = sentence();
  const auto children = children_of_this_process();
  ASSERT_EQ(children.size(), 1U);
  kill(children[0], SIGKILL);
  siginfo_t info = {};
  waitid(P_PID, static_cast<id_t>(children[0]), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(sentence(), expected);
  EXPECT_NE(children_of_this_process(), children) << "a new child";
}

TEST(CodecChild, that_is_killed_in_the_middle_fails_that_frame_only) {
  CodecChild child{program};
  const Bytes stream = jpeg_2000_header(60000, 60000);
  const ByteView piece{stream};
  const auto decode = [&] {
    return child.decode(PixelEncoding::jpeg_2000, grey(64, 64, 8), {&piece, 1});
  };
  const std::string alive = decode().error().what;
  const auto children = children_of_this_process();
  ASSERT_EQ(children.size(), 1U);
  // Stopped, it takes the request but does not answer; then it dies.
  kill(children[0], SIGSTOP);
  std::jthread killer([pid = children[0]] {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    kill(pid, SIGKILL);
  });
  const auto got = decode();
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::codec_failed);
  EXPECT_NE(got.error().what.find("died (signal 9)"), std::string::npos) << got.error().what;
  EXPECT_EQ(decode().error().what, alive) << "the next frame gets a new child";
}

TEST(CodecChild, leaves_no_process_behind) {
  {
    CodecChild child{program};
    const Bytes stream = test::bytes("ffd8ffd9");
    const ByteView piece{stream};
    (void)child.decode(PixelEncoding::jpeg_ls, grey(1, 1, 8), {&piece, 1});
    EXPECT_EQ(children_of_this_process().size(), 1U);
  }
  EXPECT_TRUE(children_of_this_process().empty());
}

TEST(Sandbox, refuses_files_network_processes_and_code) {
  FILE* const pipe = popen((program + " --self-test-sandbox").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  char buffer[512];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  EXPECT_EQ(pclose(pipe), 0) << output;
  for (const char* line :
       {"seccomp: in force", "open a file: refused", "create a file: refused",
        "make a socket: refused", "fork: refused", "run a program: refused",
        "signal the parent: refused", "get executable memory: refused", "raise a limit: refused"})
    EXPECT_NE(output.find(line), std::string::npos) << line;
  EXPECT_EQ(output.find("NOT"), std::string::npos) << output;
}

}  // namespace
}  // namespace fiducia::codec
