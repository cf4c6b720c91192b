// SPDX-License-Identifier: Apache-2.0
#include "odd_images.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "support/support.h"
#include "wire.h"

namespace fiducia::test {

namespace fs = std::filesystem;

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " > /dev/null").c_str()) == 0;
}

int shell(const std::string& line) {
  const int status = std::system((line + " > /dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Bytes odd_data_set(std::string_view instance, std::size_t pixel_bytes) {
  Bytes out;
  const auto add = [&](std::uint32_t tag, std::string_view vr, std::string value, char pad) {
    if (value.size() % 2 != 0) value += pad;
    append_le(out, static_cast<std::uint16_t>(tag >> 16));
    append_le(out, static_cast<std::uint16_t>(tag));
    append(out, as_bytes(vr));
    append_le(out, static_cast<std::uint16_t>(value.size()));
    append(out, as_bytes(value));
  };
  add(0x00080016, "UI", std::string{ct_uid}, '\0');
  add(0x00080018, "UI", std::string{instance}, '\0');
  append(out, bytes("0800401153510000FFFFFFFFFEFF00E0FFFFFFFF"));
  add(0x00081150, "UI", "1.2.3", '\0');
  append(out, bytes("FEFF0DE000000000FEFFDDE000000000"));
  add(0x00090010, "LO", "SOMEBODY", ' ');
  add(0x00091001, "LO", "private", ' ');
  add(0x00100010, "PN", "A^B", ' ');
  append(out, bytes("E07F10004F570000"));
  append_le(out, static_cast<std::uint32_t>(pixel_bytes));
  std::mt19937_64 prng{pixel_bytes};
  append(out, random_bytes(prng, pixel_bytes));
  return out;
}

void write_file(const fs::path& path, std::string_view instance, ByteView data_set) {
  Bytes meta;
  const auto add = [&](std::uint16_t element, std::string value) {
    if (value.size() % 2 != 0) value += '\0';
    append_le(meta, std::uint16_t{2});
    append_le(meta, element);
    append(meta, as_bytes("UI"));
    append_le(meta, static_cast<std::uint16_t>(value.size()));
    append(meta, as_bytes(value));
  };
  append(meta, bytes("020001004F420000020000000001"));
  add(2, std::string{ct_uid});
  add(3, std::string{instance});
  add(0x10, std::string{explicit_uid});
  add(0x12, "1.2.3.4");
  Bytes file(128);
  append(file, as_bytes("DICM"));
  append(file, bytes("02000000554C0400"));
  append_le(file, static_cast<std::uint32_t>(meta.size()));
  append(file, meta);
  append(file, data_set);
  std::ofstream stream{path, std::ios::binary};
  stream.write(reinterpret_cast<const char*>(file.data()),
               static_cast<std::streamsize>(file.size()));
}

bool same_behind_sequences(ByteView came, ByteView sent) {
  const ByteView tail = sent.subspan(as_text(sent).find({"\x09\x00\x10\x00LO", 6}));
  return came.size() >= tail.size() && same_bytes(came.last(tail.size()), tail);
}

}  // namespace fiducia::test
