using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>One phase of a test with processes: done within the limit, or the test fails and tells how far it came.</summary>
internal static class Phase
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <param name="state">What had been reached, for the message.</param>
    public static async Task AwaitAsync(Task task, Func<string> state)
    {
        try
        {
            await task.WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Not within {Limit}: {state()}");
        }
    }
}
