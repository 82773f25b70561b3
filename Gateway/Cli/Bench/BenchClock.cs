using System.Diagnostics;

namespace Broker.Gateway.Cli.Bench;

/// <summary>Nanoseconds since 1970 that never go back, and that other processes of this machine agree with.</summary>
internal static class BenchClock
{
    private static readonly long Origin = ((TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100) - Monotonic();

    public static long Now => Origin + Monotonic();

    private static long Monotonic() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
}
