// SPDX-License-Identifier: Apache-2.0
// Hashing, sealing and verifying in one process beside OpenSSL and DCMTK, on one core.
//   seal_bench [--benchmark_...]     FIDUCIA_SAMPLES: the folder that scripts/samples fills
// Times are CPU time of the measuring thread (all the work is done in it), so that what else the
// machine does disturbs less. scripts/bench turns the figures into ratios.
#include <benchmark/benchmark.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>

#include "archive.h"
#include "canonical/header.h"
#include "canonical/pixel_source.h"
#include "canonical/pixels.h"
#include "canonical/salts.h"
#include "finding/finding.h"
#include "merkle/merkle.h"
#include "peers.h"
#include "seal/seal.h"
#include "store/store.h"

namespace fiducia::bench {
namespace {

/// One kind of image with its peers, made when a benchmark first asks.
struct Subject {
  std::string name;
  Archive archive;
  std::vector<std::unique_ptr<DcmtkObject>> unsigned_objects;
  std::vector<std::unique_ptr<DcmtkObject>> signed_objects;
  PlainSigner plain;
  std::vector<Bytes> plain_signatures;

  Subject(std::string subject_name, const std::filesystem::path& path,
          const std::filesystem::path& codec, const std::filesystem::path& keys)
      : name(std::move(subject_name)), archive(path, codec) {
    for (const dicom::File& file : archive.files())
      plain_signatures.push_back(plain.sign(file.bytes()));
    if (name == "jpeg-ls") return;  // DCMTK cannot sign what stays valid when decompressed
    for (const auto& file : archive.paths()) {
      unsigned_objects.push_back(
          std::make_unique<DcmtkObject>(file, keys / "key.pem", keys / "cert.pem"));
      signed_objects.push_back(
          std::make_unique<DcmtkObject>(file, keys / "key.pem", keys / "cert.pem"));
      FIDUCIA_ASSERT(signed_objects.back()->keep_signature());
    }
  }
};

/// The canonical form of one object and the roots over it: what sealing hashes, without the
/// signature.
Digest canonical_roots(const dicom::File& file, const canonical::Salts& salts) {
  const dicom::DataSet& data_set = file.data_set();
  auto reader = must(codec::FrameReader::open(file, nullptr));
  const codec::Geometry& geometry = reader.geometry();
  canonical::TileHasher hasher(geometry);
  canonical::PixelLeaves leaves;
  const std::uint64_t tiles = hasher.grid().count();
  leaves.tiles.resize(tiles * geometry.frames);
  for (std::uint32_t f = 0; f < geometry.frames; ++f)
    hasher.hash(f, must(reader.read(f)), salts, std::span{leaves.tiles}.subspan(f * tiles, tiles),
                leaves.outside_bits);
  Digest roots[2] = {canonical::pixel_root(leaves, tiles), {}};

  const auto header = must(canonical::CanonicalHeader::read(
      data_set, {.pixel_element = canonical::find_pixel_element(data_set, geometry.kind,
                                                                geometry.sample_bytes()),
                 .photometric_interpretation = geometry.photometric_interpretation,
                 .sealed_vr = {}}));
  const auto header_salts = salts.header(header.leaves().size());
  std::vector<Digest> hashes(header.leaves().size());
  canonical::HeaderHasher header_hasher;
  Bytes swap_scratch;
  std::string text_scratch;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const canonical::HeaderLeaf& leaf = header.leaves()[i];
    header_hasher.add(header_salts[i], header.path(leaf), leaf.vr,
                      header.value(leaf, leaf.vr, swap_scratch, text_scratch), &hashes[i]);
  }
  header_hasher.flush();
  roots[1] = merkle::root(hashes);
  return merkle::node_hash(roots[0], roots[1]);
}

/// Bytes as tiles of 64 rows of 128 bytes side by side, as those of 64 x 64 pixels of 16 bits lie;
/// what does not fill a row of eight tiles is left out.
void cut_into_tiles(ByteView bytes, std::vector<crypto::TileMessage>& tiles) {
  constexpr std::size_t row_bytes = 128;
  constexpr std::size_t rows = 64;
  constexpr std::size_t columns = 8;
  tiles.clear();
  for (; bytes.size() >= row_bytes * rows * columns;
       bytes = bytes.subspan(row_bytes * rows * columns))
    for (std::size_t column = 0; column < columns; ++column)
      tiles.push_back({.head = {},
                       .first_row = bytes.data() + column * row_bytes,
                       .row_bytes = row_bytes,
                       .stride_bytes = columns * row_bytes,
                       .rows = rows});
}

/// Runs `work(index)` over the subject's files in turn.
template <class Work>
void cycle(benchmark::State& state, const Subject& subject, Work work) {
  const auto& files = subject.archive.files();
  std::size_t next = 0;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    work(next);
    bytes += static_cast<std::int64_t>(files[next].bytes().size());
    if (++next == files.size()) next = 0;
  }
  state.SetBytesProcessed(bytes);
  state.SetItemsProcessed(state.iterations());
}

void add_hashing(Subject& s) {
  const auto& files = s.archive.files();
  benchmark::RegisterBenchmark((s.name + "/hash/openssl").c_str(), [&](benchmark::State& state) {
    cycle(state, s,
          [&](std::size_t i) { benchmark::DoNotOptimize(openssl_sha256(files[i].bytes())); });
  });
  // The tiles alone, without salts, attributes and the look at the samples: what the lanes do.
  const auto tiles = [&](const char* name, crypto::HashBackend backend) {
    benchmark::RegisterBenchmark((s.name + "/tiles/" + name).c_str(),
                                 [&, backend](benchmark::State& state) {
                                   const auto before = crypto::hash_backend();
                                   FIDUCIA_ASSERT(crypto::use_hash_backend(backend).has_value());
                                   std::vector<crypto::TileMessage> messages;
                                   std::vector<Digest> digests;
                                   cycle(state, s, [&](std::size_t i) {
                                     cut_into_tiles(files[i].bytes(), messages);
                                     digests.resize(messages.size());
                                     crypto::sha256_tiles(messages, digests);
                                     benchmark::DoNotOptimize(digests.data());
                                   });
                                   FIDUCIA_ASSERT(crypto::use_hash_backend(before).has_value());
                                 });
  };
  const auto canonical = [&](const char* name, crypto::HashBackend backend) {
    if (!crypto::use_hash_backend(backend)) return;
    tiles(name, backend);
    benchmark::RegisterBenchmark(
        (s.name + "/canonical/" + name).c_str(), [&, backend](benchmark::State& state) {
          const auto before = crypto::hash_backend();
          FIDUCIA_ASSERT(crypto::use_hash_backend(backend).has_value());
          const canonical::Salts salts{canonical::Seed{}};
          cycle(state, s,
                [&](std::size_t i) { benchmark::DoNotOptimize(canonical_roots(files[i], salts)); });
          FIDUCIA_ASSERT(crypto::use_hash_backend(before).has_value());
        });
  };
  const auto before = crypto::hash_backend();
  canonical("openssl", crypto::HashBackend::openssl);
  canonical("avx2", crypto::HashBackend::avx2);
  canonical("sha_ni", crypto::HashBackend::sha_ni);
  canonical("avx512", crypto::HashBackend::avx512);
  FIDUCIA_ASSERT(crypto::use_hash_backend(before).has_value());
  benchmark::RegisterBenchmark(
      (s.name + "/parse").c_str(),
      [&](benchmark::State& state) {
        // The copy of the bytes is not parsing: only File::read is timed.
        const auto seconds = [] {
          timespec t = {};
          clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
          return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
        };
        std::size_t next = 0;
        for (auto _ : state) {
          Bytes copy(files[next].bytes().begin(), files[next].bytes().end());
          const double start = seconds();
          auto file = dicom::File::read(std::move(copy));
          state.SetIterationTime(seconds() - start);
          FIDUCIA_ASSERT(file.has_value());
          if (++next == files.size()) next = 0;
        }
        state.SetItemsProcessed(state.iterations());
      })
      ->UseManualTime()
      ->Iterations(300);  // the copies take long
}

void add_sealing(Subject& s, store::EvidenceStore& store) {
  const auto& files = s.archive.files();
  const UnixTime now = system_now();
  const auto seal = [&, now](const char* name, bool with_sketch) {
    benchmark::RegisterBenchmark(
        (s.name + "/seal/" + name).c_str(), [&, now, with_sketch](benchmark::State& state) {
          cycle(state, s, [&](std::size_t i) {
            const auto sketch = with_sketch ? store.new_sketch() : nullptr;
            const auto draft = must(seal::draft_seal(files[i], s.archive.signer(), now,
                                                     s.archive.child(), sketch.get()));
            benchmark::DoNotOptimize(draft.finish(s.archive.appended(), s.archive.checkpoint()));
          });
        });
  };
  seal("fiducia", false);
  seal("fiducia_with_sketch", true);
  if (!s.unsigned_objects.empty())
    benchmark::RegisterBenchmark((s.name + "/seal/dcmtk").c_str(), [&](benchmark::State& state) {
      cycle(state, s, [&](std::size_t i) { FIDUCIA_ASSERT(s.unsigned_objects[i]->sign()); });
    });
  benchmark::RegisterBenchmark((s.name + "/seal/evp").c_str(), [&](benchmark::State& state) {
    cycle(state, s,
          [&](std::size_t i) { benchmark::DoNotOptimize(s.plain.sign(files[i].bytes())); });
  });
}

void add_verifying(Subject& s) {
  const auto& files = s.archive.files();
  benchmark::RegisterBenchmark((s.name + "/verify/fiducia").c_str(), [&](benchmark::State& state) {
    std::optional<seal::Verifier> verifier;
    cycle(state, s, [&](std::size_t i) {
      // A verifier remembers certificates and ledger roots: each pass begins without memory.
      if (i == 0)
        verifier.emplace(must(seal::Verifier::make(
            s.archive.trust(), {.at = {}, .show_values = false, .look_beside = false},
            &s.archive.lookup())));
      const auto result = must(verifier->verify(files[i], s.archive.child()));
      FIDUCIA_ASSERT(result.verdict == finding::Verdict::authentic);
    });
    state.counters["evidence_bytes"] = s.archive.lookup().mean_bytes();
    state.counters["file_bytes"] = s.archive.mean_file_bytes();
  });
  if (!s.signed_objects.empty())
    benchmark::RegisterBenchmark((s.name + "/verify/dcmtk").c_str(), [&](benchmark::State& state) {
      cycle(state, s, [&](std::size_t i) { FIDUCIA_ASSERT(s.signed_objects[i]->verify()); });
    });
  benchmark::RegisterBenchmark((s.name + "/verify/evp").c_str(), [&](benchmark::State& state) {
    cycle(state, s, [&](std::size_t i) {
      FIDUCIA_ASSERT(s.plain.verify(files[i].bytes(), s.plain_signatures[i]));
    });
  });
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const char* given = std::getenv("FIDUCIA_SAMPLES");
  const std::filesystem::path samples = given != nullptr ? given : "build/samples";
  const auto program = codec::codec_program();
  std::string folder = (std::filesystem::temp_directory_path() / "fiducia-keys.XXXXXX").string();
  FIDUCIA_ASSERT(mkdtemp(folder.data()) != nullptr);
  write_key_and_certificate(folder);
  const auto store = must(store::open_sqlite(folder + "/evidence.db", Bytes(32, std::byte{1})));

  std::vector<std::unique_ptr<Subject>> subjects;
  const auto add = [&](const char* name, const std::filesystem::path& path, bool native) {
    if (!std::filesystem::exists(path)) return;
    Subject& s = *subjects.emplace_back(std::make_unique<Subject>(name, path, program, folder));
    if (native) {
      add_hashing(s);
      // Sealing what is compressed is the decoder's time, and the decoder is another process.
      add_sealing(s, *store);
    }
    add_verifying(s);
  };
  add("ct", samples / "derived" / "ct-series", true);
  add("dx", samples / "synthetic" / "dx.dcm", true);
  if (const char* compressed = std::getenv("FIDUCIA_COMPRESSED")) add("jpeg-ls", compressed, false);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return 0;
}

}  // namespace
}  // namespace fiducia::bench

int main(int argc, char** argv) { return fiducia::bench::run(argc, argv); }
