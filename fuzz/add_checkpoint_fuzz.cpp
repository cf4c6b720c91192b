// SPDX-License-Identifier: Apache-2.0
// Requests to a witness, its own state, and what a witness answers.
#include "ledger_format/cosignature.h"
#include "target.h"
#include "witness/witness.h"
#include "witness/witness_memory.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(add_checkpoint) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto request = witness::read_add_checkpoint(text)) {
    FIDUCIA_ASSERT(request->proof.size() <= limits::witness_proof_lines_max);
    FIDUCIA_ASSERT(witness::write_add_checkpoint(*request) == text);  // one spelling
  }
  if (const auto memory = witness::read_witness_memory(text))
    FIDUCIA_ASSERT(witness::write_witness_memory(*memory) == text);
  // As the answer of a witness to a checkpoint: nobody can make a signature by chance.
  static const std::string note =
      "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
      "\xE2\x80\x94 example.org/log AAAAAAAA\n";
  static const ledger_format::VerifierKey key =
      ledger_format::read_vkey(
          "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O")
          .value();
  FIDUCIA_ASSERT(!ledger_format::merge_cosignatures(note, text, std::span{&key, 1}).has_value());
  return 0;
}
