using Broker.Tests.Cluster.Harness;
using Xunit;

[assembly: AssemblyFixture(typeof(SharedMariaDb))]

namespace Broker.Tests.Cluster.Harness;

/// <summary>The one database server of this test process, started for the first test that asks. Who stops or kills a server starts one of its own.</summary>
public sealed class SharedMariaDb : IAsyncDisposable
{
    private readonly Lazy<Task<MariaDbServer>> server = new(() => MariaDbServer.StartNewAsync());

    /// <summary>An empty database on the shared server.</summary>
    /// <returns>Its connection string.</returns>
    public static async Task<string> CreateDatabaseAsync() => await (await ServerAsync()).CreateDatabaseAsync();

    /// <summary>The shared server, running.</summary>
    internal static async Task<MariaDbServer> ServerAsync()
    {
        var shared = await TestContext.Current.GetFixture<SharedMariaDb>()
            ?? throw new InvalidOperationException("The shared server is there for tests only.");
        return await shared.server.Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (server.IsValueCreated) await (await server.Value).DisposeAsync();
    }
}
