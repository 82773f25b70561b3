namespace Broker.Gateway.Links;

/// <summary>Grain calls that outlast the death or move of the process where the grain was.</summary>
internal static class GrainCalls
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Longer than it takes to notice a death and to recover.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Makes a call that may be made twice, again and again while nobody can answer it. Off the event loop, whose scheduler must not run its continuations.</summary>
    /// <exception cref="Exception">What the last call threw.</exception>
    public static Task<T> InsistAsync<T>(Func<Task<T>> call, TimeProvider time) => Task.Run(async () =>
    {
        var started = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                return await call();
            }
            catch (Exception fault) when (MayPass(fault) && time.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(pause, time);
            }
        }
    });

    /// <inheritdoc cref="InsistAsync{T}"/>
    public static Task InsistAsync(Func<Task> call, TimeProvider time) => InsistAsync(
        async () =>
        {
            await call();
            return true;
        },
        time);

    /// <summary>Whether a failure says that nobody could answer, and not that the answer is no.</summary>
    /// <remarks>
    /// A pure front end that knows of no silo is told <see cref="ArgumentException"/>, which no grain of ours throws; a call whose grain was being looked up
    /// at a silo that died is cancelled, though nobody asked for that.
    /// </remarks>
    public static bool MayPass(Exception fault) => fault is OrleansException or TimeoutException or ArgumentException or OperationCanceledException;
}
