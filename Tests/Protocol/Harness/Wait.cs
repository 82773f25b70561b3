using System.Diagnostics;
using Xunit;

namespace Broker.Tests.Protocol.Harness;

/// <summary>Waits for a condition, with a deadline.</summary>
internal static class Wait
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <param name="condition">What is waited for.</param>
    /// <param name="what">What to say when it does not come, such as `the connections are gone`.</param>
    public static async Task UntilAsync(Func<bool> condition, Func<string> what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(began) > Deadline) Assert.Fail($"After {Deadline.TotalSeconds} s not yet: {what()}");
            await Task.Delay(5);
        }
    }

    /// <inheritdoc cref="UntilAsync(Func{bool}, Func{string})"/>
    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(began) > Deadline) Assert.Fail($"After {Deadline.TotalSeconds} s not yet: {what()}");
            await Task.Delay(5);
        }
    }

    /// <inheritdoc cref="UntilAsync(Func{bool}, Func{string})"/>
    public static Task UntilAsync(Func<Task<bool>> condition, string what) => UntilAsync(condition, () => what);

    /// <inheritdoc cref="UntilAsync(Func{bool}, Func{string})"/>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(condition, () => what);
}
