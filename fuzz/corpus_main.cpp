// SPDX-License-Identifier: Apache-2.0
// Runs fuzz targets as plain tests: every file of a target's corpus, and mutants of each.
//
//   fuzz_corpus TARGET FOLDER [MUTANTS]     MUTANTS of each seed, 2000 unless told
//   fuzz_corpus TARGET FILE                 this input alone, as libFuzzer does
//
// Mutants follow from FIDUCIA_SEED (1 unless set), so a test that failed fails again. An input that
// brings the program down is left in the working folder as crash-<target>-<seed>-<n>.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "target.h"

// There only when a sanitizer is linked: it ends the process without a signal that we would see.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace {

namespace fs = std::filesystem;
using fiducia::fuzz::Target;
using Input = std::vector<std::uint8_t>;

std::map<std::string_view, Target>& targets() {
  static std::map<std::string_view, Target> all;
  return all;
}

struct Seed {
  std::string name;
  Input bytes;
};

/// The input that runs now. A signal handler reads it: plain memory, set before each run.
struct Running {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  std::array<char, 256> file{};
} running;

extern "C" void keep_input() {
  if (running.file[0] == '\0') return;
  const int file = open(running.file.data(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  std::size_t done = 0;
  while (done < running.size) {
    const ssize_t count = write(file, running.data + done, running.size - done);
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  close(file);
  const auto say = [](std::string_view text) {
    [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
  };
  say("input kept as ");
  say(running.file.data());
  say("\n");
  running.file[0] = '\0';
}

extern "C" void on_signal(int number) {
  keep_input();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void watch_for_the_end() {
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_input);
  // A sanitizer reports the other signals better than we would, and calls back.
  std::signal(SIGABRT, on_signal);
  if (__sanitizer_set_death_callback == nullptr)
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_signal);
}

void run(Target run_target, const Input& input, const std::string& target,
         const std::string& name) {
  const std::string file = "crash-" + target + "-" + name;
  running.data = input.data();
  running.size = input.size();
  running.file.fill('\0');
  file.copy(running.file.data(), running.file.size() - 1);
  // A copy of exactly this size: a read past the end is then one past an allocation.
  const Input exact(input);
  run_target(exact.data(), exact.size());
  running.file[0] = '\0';
}

/// A position or length below `bound`, also where std::uniform_int_distribution differs: the same
/// mutants with each standard library.
std::size_t below(std::mt19937_64& prng, std::size_t bound) { return bound ? prng() % bound : 0; }

void mutate(std::mt19937_64& prng, Input& input, const std::vector<Seed>& seeds) {
  const auto at = [&](std::size_t position) {
    return input.begin() + static_cast<Input::difference_type>(position);
  };
  switch (below(prng, 8)) {
    case 0:  // one bit
    case 1:
      if (!input.empty())
        input[below(prng, input.size())] ^= static_cast<std::uint8_t>(1U << below(prng, 8));
      return;
    case 2: {  // a byte where limits lie
      constexpr std::uint8_t edges[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF, 0x20, 0x0A};
      if (!input.empty()) input[below(prng, input.size())] = edges[below(prng, std::size(edges))];
      return;
    }
    case 3:  // cut short
      input.resize(below(prng, input.size() + 1));
      return;
    case 4: {  // a stretch leaves
      const std::size_t from = below(prng, input.size());
      const std::size_t count = below(prng, std::min<std::size_t>(input.size() - from, 16) + 1);
      input.erase(at(from), at(from + count));
      return;
    }
    case 5: {  // a stretch comes twice
      const std::size_t from = below(prng, input.size());
      const std::size_t count = below(prng, std::min<std::size_t>(input.size() - from, 64) + 1);
      const Input stretch(at(from), at(from + count));
      input.insert(at(from), stretch.begin(), stretch.end());
      return;
    }
    case 6: {  // two or four bytes of a length
      const std::size_t width = below(prng, 2) ? 2 : 4;
      if (input.size() < width) return;
      const std::size_t from = below(prng, input.size() - width + 1);
      const std::uint64_t value = below(prng, 2) ? below(prng, input.size() * 2 + 2) : prng();
      for (std::size_t i = 0; i < width; ++i)
        input[from + i] = static_cast<std::uint8_t>(value >> 8 * i);
      return;
    }
    default: {  // the start of this and the end of another seed
      const Input& other = seeds[below(prng, seeds.size())].bytes;
      const std::size_t from = below(prng, other.size() + 1);
      input.resize(below(prng, input.size() + 1));
      input.insert(input.end(), other.begin() + static_cast<Input::difference_type>(from),
                   other.end());
      return;
    }
  }
}

Input read_input(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::uint64_t number_of(std::string_view text, const char* what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  std::fprintf(stderr, "%s is no number\n", what);
  std::exit(2);
}

}  // namespace

fiducia::fuzz::Registration::Registration(const char* name, Target target) {
  targets().emplace(name, target);
}

int main(int argc, char** argv) {
  const auto named = argc < 3 ? targets().end() : targets().find(argv[1]);
  if (named == targets().end()) {
    std::fprintf(stderr, "usage: %s TARGET FOLDER [MUTANTS] | TARGET FILE\ntargets:", argv[0]);
    for (const auto& [name, ignored] : targets())
      std::fprintf(stderr, " %s", std::string{name}.c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  const std::string target{named->first};
  const fs::path folder = argv[2];
  watch_for_the_end();
  if (fs::is_regular_file(folder)) {
    run(named->second, read_input(folder), target, "again");
    std::printf("%s: 1 input\n", target.c_str());
    return 0;
  }
  const std::uint64_t mutants = argc > 3 ? number_of(argv[3], "MUTANTS") : 2000;
  const char* chosen = std::getenv("FIDUCIA_SEED");
  const std::uint64_t random_seed = chosen != nullptr ? number_of(chosen, "FIDUCIA_SEED") : 1;
  std::printf("%s: FIDUCIA_SEED=%llu\n", target.c_str(),
              static_cast<unsigned long long>(random_seed));
  std::fflush(stdout);

  std::vector<Seed> seeds;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_regular_file())
      seeds.push_back({entry.path().filename().string(), read_input(entry.path())});
  if (seeds.empty()) {
    std::fprintf(stderr, "%s holds no seed, so nothing was tested\n", folder.c_str());
    return 1;
  }
  std::ranges::sort(seeds, {}, &Seed::name);

  std::uint64_t inputs = 0;
  for (const Seed& seed : seeds) {
    run(named->second, seed.bytes, target, seed.name);
    ++inputs;
  }
  for (std::size_t s = 0; s < seeds.size(); ++s)
    for (std::uint64_t n = 0; n < mutants; ++n) {
      // Each mutant has its own stream, so that one seed more does not change all the others.
      std::seed_seq sequence{random_seed & 0xFFFFFFFF, random_seed >> 32, n};
      std::mt19937_64 prng{sequence};
      Input input = seeds[s].bytes;
      for (std::size_t rounds = 1 + below(prng, 4); rounds > 0; --rounds)
        mutate(prng, input, seeds);
      run(named->second, input, target, seeds[s].name + "-" + std::to_string(n));
      ++inputs;
    }
  std::printf("%s: %zu seeds, %llu inputs, none failed\n", target.c_str(), seeds.size(),
              static_cast<unsigned long long>(inputs));
  return 0;
}
