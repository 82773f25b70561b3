using System.Net;
using Broker.Gateway.Hosting;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Transport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Protocol.Harness;

/// <summary>A whole broker in this process, on a free port, with data of its own.</summary>
/// <remarks>As a class fixture it has the default options; tests of other options start their own with <see cref="StartAsync"/>.
/// Disposing fails if the broker logged an error that no test expected.</remarks>
public class BrokerHost : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly string data = Directory.CreateTempSubdirectory("broker-test-").FullName;
    private readonly Dictionary<string, string?> settings;
    private readonly Action<IServiceCollection>? configure;
    private readonly FaultRecord faults = new();
    private IHost? host;

    public BrokerHost()
        : this([], null)
    {
    }

    protected BrokerHost(Dictionary<string, string?> settings, Action<IServiceCollection>? configure = null) => (this.settings, this.configure) = (settings, configure);

    /// <summary>Where it listens; changes with a restart.</summary>
    public IPEndPoint Address { get; private set; } = null!;

    /// <summary>Where a listener of section `Listeners` listens.</summary>
    public int PortOf(string listener) => Services.GetRequiredService<Listeners>()[listener].Port;

    /// <summary>The services of the running broker.</summary>
    public IServiceProvider Services => host!.Services;

    internal ShiftedClock Clock { get; } = new();

    /// <summary>A broker with other options.</summary>
    /// <param name="settings">Configuration keys and values, such as `Mqtt:MaxInflight`.</param>
    /// <param name="configure">Registers further services, such as authenticators.</param>
    /// <param name="remote">As <see cref="RemoteBrokerHost"/>.</param>
    public static async Task<BrokerHost> StartAsync(Dictionary<string, string?> settings, Action<IServiceCollection>? configure = null, bool remote = false)
    {
        var broker = remote ? new RemoteBrokerHost(settings, configure) : new BrokerHost(settings, configure);
        await broker.InitializeAsync();
        return broker;
    }

    /// <summary>Another broker of the same kind with other options.</summary>
    public virtual Task<BrokerHost> StartOtherAsync(Dictionary<string, string?> settings) => StartAsync(settings, null, IsRemote);

    public async ValueTask InitializeAsync() => await OpenAsync();

    /// <summary>Stops it as an operator does and starts it again on the same data.</summary>
    public async Task RestartAsync()
    {
        await CloseAsync();
        await OpenAsync();
    }

    /// <summary>Starts another broker on a copy of this one's data as it is now: what a killed process would find when it starts again.</summary>
    /// <remarks>Its clock is its own and does not know what was added to this one's.</remarks>
    public async Task<BrokerHost> StartFromCopyAsync()
    {
        var copy = IsRemote ? new RemoteBrokerHost(settings, configure) : new BrokerHost(settings, configure);
        foreach (var file in Directory.GetFiles(data, "broker.db*")) File.Copy(file, Path.Combine(copy.data, Path.GetFileName(file)));
        await copy.InitializeAsync();
        return copy;
    }

    /// <summary>Lets time pass at once; wheels and sweepers notice within a second.</summary>
    public void Advance(TimeSpan time) => Clock.Advance(time);

    /// <summary>Waits until every connection that the broker has closed has left its session and the registry.</summary>
    public async Task SettleAsync()
    {
        var ending = Services.GetRequiredService<ConnectionTable>().Enumerate().Where(connection => connection.IsEnding).Select(connection => connection.Ended).ToArray();
        await Task.WhenAll(ending).WaitAsync(Deadline);
    }

    /// <summary>Whether the gateway reaches durable sessions by links, as it does those of other processes.</summary>
    public virtual bool IsRemote => false;

    /// <summary>Waits until what is on its way inside the broker has arrived: where sessions are reached by links, PINGRESP could overtake it.</summary>
    public Task QuietAsync() => IsRemote ? RemoteSessions.QuietAsync(Services, Deadline) : Task.CompletedTask;

    /// <summary>Error logs that hold this text are no fault.</summary>
    public void ExpectError(string part) => faults.Expect(part);

    /// <summary>Whether the broker has logged an error or a warning that holds this text.</summary>
    public bool Logged(string part) => faults.Has(part);

    /// <summary>Fails if there has been a fault up to now, as disposing does at the end.</summary>
    public void ExpectNoFaults() => faults.Verify();

    public virtual async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(data, recursive: true);
        faults.Verify();
        GC.SuppressFinalize(this);
    }

    private async Task OpenAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
        [
            new("Gateway:Address", "127.0.0.1"), new("Gateway:Port", "0"), new("Admin:Address", "127.0.0.1"), new("Admin:Port", "0"), new("Admin:DashboardPort", "0"), new("Storage:DataDirectory", data), new("Storage:SyncEveryCommit", "false"),
            new("Mqtt:SysInterval", "00:00:00"),
        ]);
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.AddProvider(faults);
        builder.Services.AddSingleton<TimeProvider>(Clock);
        configure?.Invoke(builder.Services);
        builder.AddEmbeddedSilo();
        builder.AddGateway();
        builder.Services.AddSingleton<IFatalErrorHandler, FatalErrors>();
        if (IsRemote) RemoteSessions.Use(builder.Services);
        host = builder.Build();
        await host.StartAsync().WaitAsync(Deadline);
        Address = new IPEndPoint(IPAddress.Loopback, host.Services.GetRequiredService<Listeners>().All[0].Setup.Info.Port);
    }

    private async Task CloseAsync()
    {
        if (host is null) return;
        await host.StopAsync().WaitAsync(Deadline);
        host.Dispose();
        host = null;
    }
}
