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

/// The header of a JPEG 2000 image of 4096 x 4096, cut as `coding` (a COD from its first byte on)
/// and the tiles say.
Bytes jpeg_2000_cut(std::string_view coding, std::uint32_t tile) {
  Bytes b = test::bytes("ff4fff5100290000");
  for (const std::uint32_t v : {4096U, 4096U, 0U, 0U, tile, tile, 0U, 0U}) append_be(b, v);
  append(b, test::bytes("0001070101"));
  const Bytes body = test::bytes(coding);
  append(b, test::bytes("ff52"));
  append_be(b, static_cast<std::uint16_t>(body.size() + 2));
  append(b, body);
  append(b, test::bytes("ff5c00044008"));
  append(b, test::bytes("ff90000a0000000000000001ff93ffd9"));
  return b;
}

TEST(CodecChild, refuses_jpeg_2000_cut_into_more_parts_than_its_size_explains) {
  struct Row {
    const char* what;
    const char* coding;
    std::uint32_t tile;
    bool too_big;
  };
  CodecChild child{program};
  for (const Row& row : {Row{"as usual", "00000001000504040001", 4096, false},
                         Row{"blocks of 16 x 16", "00000001000502020001", 4096, false},
                         Row{"blocks of 4 x 4", "00000001000500000001", 4096, true},
                         Row{"precincts of 128 x 128", "00000001000004040001", 4096, false},
                         Row{"precincts of 2 x 2", "010000010001040400011111", 4096, true},
                         Row{"tiles of 64 x 64", "00000001000504040001", 64, false},
                         Row{"tiles of 17 x 17", "00000001000104040001", 17, true},
                         Row{"20 layers", "00000014000504040001", 4096, false},
                         Row{"65,535 layers", "0000ffff000504040001", 4096, true}}) {
    SCOPED_TRACE(row.what);
    const Bytes stream = jpeg_2000_cut(row.coding, row.tile);
    const ByteView piece{stream};
    const auto got = child.decode(PixelEncoding::jpeg_2000, grey(4096, 4096, 8), {&piece, 1});
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, row.too_big ? ErrorCode::over_limit : ErrorCode::codec_failed)
        << got.error().what;
  }
}

/// A grey progressive JPEG that sends each of `bands` coefficients by itself, and each of its bits:
/// 14 scans of a few bytes a coefficient, and every scan visits all blocks. Up to 27,306 of these,
/// or three times as many.
Bytes jpeg_of_many_scans(std::uint16_t side, unsigned bands) {
  Bytes b = test::bytes("ffd8ffdb004300");
  b.resize(b.size() + 64, std::byte{1});
  append(b, test::bytes("ffc2000b08"));
  append_be(b, side);
  append_be(b, side);
  append(b, test::bytes("01011100"));
  append(b, test::bytes("ffc40014000100000000000000000000000000000000"));
  append(b, test::bytes("ffc400141001000000000000000000000000000000e0"));
  append(b, test::bytes("ffda0008010100000000"));
  b.resize(b.size() + std::size_t{side} * side / 64 / 8);  // a bit a block: no difference
  for (unsigned band = 1; band <= bands; ++band)
    for (unsigned bit = 14; bit-- > 0;) {
      append(b, test::bytes("ffda0008010100"));
      b.insert(b.end(), 2, static_cast<std::byte>(band));
      b.push_back(static_cast<std::byte>((bit == 13 ? 0 : bit + 1) << 4 | bit));
      // Runs of 27,306 blocks at their end; bytes too many are a warning.
      append(b, test::bytes(side * side / 64 > 27'306 ? "5554aaa95557" : "5555"));
    }
  append(b, test::bytes("ffd9"));
  return b;
}

TEST(CodecChild, may_take_its_processor_time_and_no_more) {
  constexpr std::uint64_t ms = 1'000'000;
  CodecChild child{program};
  const Bytes small = jpeg_of_many_scans(64, 1);
  const Bytes large = jpeg_of_many_scans(2048, 63);
  const auto decode = [&](const Bytes& stream, std::uint32_t side) {
    const ByteView piece{stream};
    return child.decode(PixelEncoding::jpeg_extended, grey(side, side, 8), {&piece, 1});
  };
  child.limit_time(2'000 * ms);
  const auto decoded = decode(small, 64);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().what;
  const std::uint64_t left = child.time_left();
  EXPECT_LT(left, 2'000 * ms);
  EXPECT_GT(left, 0U);

  child.limit_time(5 * ms);  // a sanitizer build counts less than it takes
  const auto got = decode(large, 2048);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::over_limit) << got.error().what;
  EXPECT_EQ(child.time_left(), 0U);
  EXPECT_TRUE(children_of_this_process().empty());

  child.limit_time(2'000 * ms);
  EXPECT_TRUE(decode(small, 64).has_value()) << "the next frame gets a new child";
}

/// A program in the place of fiducia-codec.
class Impostor {
 public:
  explicit Impostor(std::string_view script) {
    std::ofstream(path()) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "codec"; }

 private:
  test::ScratchFolder folder_;
};

TEST(CodecChild, that_loops_ends_the_work_on_its_object) {
  const Impostor impostor{"while :; do :; done"};
  CodecChild child{impostor.path()};
  test::ImageFile image;
  image.transfer_syntax = "1.2.840.10008.1.2.4.50";
  image.rows = image.columns = 64;
  image.bits_allocated = image.bits_stored = 8;
  image.high_bit = 7;
  image.vr = dicom::vr::ob;
  image.frames = "3";
  image.fragments = std::vector<Bytes>(3, test::bytes("ffd8ffd9"));
  const dicom::File file = image.file();
  auto reader = FrameReader::open(file, &child);
  ASSERT_TRUE(reader.has_value());
  const auto first = reader->read(0);
  ASSERT_FALSE(first.has_value());
  EXPECT_EQ(first.error().code, ErrorCode::over_limit) << first.error().what;
  EXPECT_TRUE(file.budget().is_exceeded());
  const auto second = reader->read(1);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::over_limit);
  EXPECT_TRUE(children_of_this_process().empty()) << "nothing is asked any more";
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

/// A JPEG 2000 main header of `across` x `down` tiles of `edge` x `edge`, with `layers`.
Bytes jpeg_2000_tiles(std::uint32_t across, std::uint32_t down, std::uint32_t edge,
                      std::uint16_t layers) {
  Bytes b = jpeg_2000_header(across * edge, down * edge);
  constexpr std::size_t tile_size_at = 24;  // XTsiz and YTsiz in SIZ
  store_be(b.data() + tile_size_at, edge);
  store_be(b.data() + tile_size_at + 4, edge);
  constexpr std::size_t layers_at = 51;  // in COD, behind its style and the progression
  store_be(b.data() + layers_at, layers);
  return b;
}

/// Whether the decoder refuses to begin: past that the codestream ends too soon, and fails.
bool is_over_limit(CodecChild& child, std::uint32_t across, std::uint32_t down, std::uint32_t edge,
                   std::uint16_t layers) {
  const Bytes stream = jpeg_2000_tiles(across, down, edge, layers);
  const ByteView piece{stream};
  const auto got =
      child.decode(PixelEncoding::jpeg_2000, grey(down * edge, across * edge, 8), {&piece, 1});
  EXPECT_FALSE(got.has_value());
  return !got && got.error().code == ErrorCode::over_limit;
}

TEST(CodecChild, lets_a_codestream_have_so_many_tiles_of_any_size) {
  CodecChild child{program};
  constexpr std::uint32_t down = 128;
  // The first number of small tiles that is refused. Each needs 6 KiB and more.
  std::uint32_t fits = 1;
  std::uint32_t refused = 256;
  while (refused - fits > 1) {
    const std::uint32_t middle = (fits + refused) / 2;
    (is_over_limit(child, middle, down, 8, 1) ? refused : fits) = middle;
  }
  EXPECT_GT(down * refused, limits::jpeg_2000_bytes_free / (16 << 10));
  EXPECT_LT(down * fits, limits::jpeg_2000_bytes_free / (6 << 10));
  // With more samples in each tile, so that each may need more, there may be as many.
  constexpr std::uint32_t large = 72;
  static_assert(large * large * limits::jpeg_2000_bytes_a_sample > 16 << 10);
  constexpr std::uint32_t small = 36;
  static_assert(small * small * limits::jpeg_2000_bytes_a_sample < 6 << 10);
  EXPECT_FALSE(is_over_limit(child, refused, down, large, 1));
  EXPECT_TRUE(is_over_limit(child, refused, down, small, 1));
}

TEST(CodecChild, lets_a_codestream_visit_so_many_blocks_in_layers) {
  CodecChild child{program};
  // Four tiles with four bands each, of at most four code-blocks wherever a tile begins.
  constexpr std::uint32_t tiles = 4;
  constexpr std::uint64_t blocks = std::uint64_t{16} * tiles;
  static_assert(limits::jpeg_2000_visits_free % blocks == 0);
  constexpr auto layers = narrow<std::uint16_t>(limits::jpeg_2000_visits_free / blocks);
  EXPECT_FALSE(is_over_limit(child, tiles, 1, 64, layers));
  EXPECT_TRUE(is_over_limit(child, tiles, 1, 64, layers + 1));
}

}  // namespace
}  // namespace fiducia::codec
