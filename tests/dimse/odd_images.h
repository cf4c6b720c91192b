// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "core/core.h"

/// Images that show whether somebody wrote them anew, and DCMTK's tools to send them with.
namespace fiducia::test {

[[nodiscard]] bool is_installed(const std::string& program);
/// The exit code of a command line, whose output is thrown away.
[[nodiscard]] int shell(const std::string& line);

/// A data set in explicit VR little endian with private elements and undefined lengths, that nobody
/// would write the same way again.
[[nodiscard]] Bytes odd_data_set(std::string_view instance, std::size_t pixel_bytes);
/// Whether `came` is what storescu makes of `sent`: it writes sequences with lengths; what stands
/// behind the one of odd_data_set is the same.
[[nodiscard]] bool same_behind_sequences(ByteView came, ByteView sent);
/// The same as a file (PS3.10).
void write_file(const std::filesystem::path& path, std::string_view instance, ByteView data_set);

}  // namespace fiducia::test
