namespace Broker.Gateway.Security.Passwords;

/// <summary>Where hashes are computed that take long by design: on the thread pool, no more at once than half the processors, so that traffic goes on.</summary>
internal static class SlowHash
{
    private static readonly SemaphoreSlim Free = new(Math.Max(1, Environment.ProcessorCount / 2));

    public static async ValueTask<bool> ComputeAsync(Func<bool> compute)
    {
        await Free.WaitAsync();
        try
        {
            return await Task.Run(compute);
        }
        finally
        {
            Free.Release();
        }
    }
}
