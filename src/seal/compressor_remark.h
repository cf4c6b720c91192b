// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string_view>

namespace fiducia::seal {

/// What a Derivation Description (0008,2111) said before a lossless compressor put its remark in
/// front of it: empty when the remark is all there is; absent when `text` does not begin with
/// exactly such a remark (spec/seal.md 10.1). Known are the remarks of DCMTK's JPEG coder:
/// "Lossless JPEG compression, selection value 1, point transform 0, compression ratio 2.2013",
/// followed by " [" old "]" when there was an old description.
[[nodiscard]] std::optional<std::string_view> without_compressor_remark(std::string_view text);

}  // namespace fiducia::seal
