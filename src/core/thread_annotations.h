// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which lock guards what, in words that clang checks (-Wthread-safety, an error in every build with
// clang) and other compilers skip: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html.

#ifdef __clang__
#define FIDUCIA_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define FIDUCIA_THREAD_ATTRIBUTE(x)
#endif

/// On a class: it is a lock.
#define FIDUCIA_CAPABILITY(name) FIDUCIA_THREAD_ATTRIBUTE(capability(name))
/// On a class: it holds a lock as long as it lives.
#define FIDUCIA_SCOPED_CAPABILITY FIDUCIA_THREAD_ATTRIBUTE(scoped_lockable)
/// On a member: it is read and written with the lock held.
#define FIDUCIA_GUARDED_BY(mutex) FIDUCIA_THREAD_ATTRIBUTE(guarded_by(mutex))
/// On a function or a lambda: the caller holds the lock.
#define FIDUCIA_REQUIRES(...) FIDUCIA_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
/// On a function: the caller must not hold the lock.
#define FIDUCIA_EXCLUDES(...) FIDUCIA_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
/// On a function: it takes the lock, or lets it go.
#define FIDUCIA_ACQUIRE(...) FIDUCIA_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define FIDUCIA_RELEASE(...) FIDUCIA_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
/// On a function whose safety has another reason, which its comment tells.
#define FIDUCIA_NO_THREAD_SAFETY_ANALYSIS FIDUCIA_THREAD_ATTRIBUTE(no_thread_safety_analysis)
