using Broker.Gateway.Configuration;
using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Messages;
using DotNetty.Buffers;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Transport;

/// <summary>All listeners of this gateway; they follow the cluster's settings while it runs. Their certificates and keys are read when they are made.</summary>
internal sealed class Listeners : IReadiness, ISettingTarget, IDisposable
{
    private readonly ITransport transport;
    private readonly IEventLoopGroup loops;
    private readonly GatewayLoops contexts;
    private readonly ConnectionServices connections;
    private readonly HandshakeAdmission admission;
    private readonly IOptionsMonitor<GatewayOptions> gateway;
    private readonly int mostDescriptors = DescriptorLimit.MostConnections();
    private readonly ListenersValidator validator = new();

    /// <summary>Chunks of 1 MiB, one arena for each loop: the default's 16 MiB would be most of a small broker's memory.</summary>
    private readonly PooledByteBufferAllocator allocator;

    /// <summary>Where they were to listen by what the process was started with.</summary>
    private readonly Dictionary<MqttListener, (string Address, int Port)> begun;

    /// <summary>Settings may change while the process starts.</summary>
    private readonly SemaphoreSlim turn = new(1);

    private volatile MqttListener[] all;
    private bool isStarted;

    public Listeners(
        ITransport transport, IEventLoopGroup loops, GatewayLoops contexts, ConnectionServices connections, HandshakeAdmission admission,
        IOptionsMonitor<GatewayOptions> gateway, IOptions<ListenersOptions> listeners)
    {
        (this.transport, this.loops, this.contexts, this.connections, this.admission, this.gateway) = (transport, loops, contexts, connections, admission, gateway);
        var options = gateway.CurrentValue;
        allocator = new PooledByteBufferAllocator(options.EffectiveEventLoops, 0, 8192, 7);
        all = listeners.Value.Count == 0
            ? [Make(ListenersOptions.Default, new ListenerOptions { Address = options.Address, Port = options.Port }, GatewayOptions.Section)]
            : [.. listeners.Value.Where(one => one.Value.Enabled).Select(one => Make(one.Key, one.Value))];
        begun = all.ToDictionary(one => one, SocketOf);
    }

    public IReadOnlyList<MqttListener> All => all;

    public string Name => "listener";

    public string? Fault => all.FirstOrDefault(one => !one.IsActive) is { } down ? $"connections are not accepted on listener {down.Setup.Info.Name}" : null;

    public IReadOnlyList<SettingSection> Sections { get; } = [new(ListenersOptions.Section, typeof(ListenersOptions))];

    /// <summary>The listener of this name.</summary>
    public ListenerInfo this[string name] => Find(name)!.Setup.Info;

    /// <summary>Starts to accept on all of them.</summary>
    /// <returns>Whether all are there. One that was set while brokers ran must not keep a process from starting: it is left out until it is applied again.</returns>
    /// <exception cref="StartException">An address that the process was started with cannot be had.</exception>
    public async Task<bool> StartAsync()
    {
        await turn.WaitAsync();
        try
        {
            isStarted = true;
            var (wanted, open) = (all, new List<MqttListener>());
            foreach (var listener in wanted)
            {
                try
                {
                    await StartAsync(listener);
                    open.Add(listener);
                }
                catch (StartException) when (!begun.TryGetValue(listener, out var socket) || socket != SocketOf(listener))
                {
                    // Said by whoever applies it again.
                }
            }

            all = [.. open];
            return open.Count == wanted.Length;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    /// <summary>Accepts no more.</summary>
    public Task StopAsync() => Task.WhenAll(all.Select(one => one.StopAsync()));

    public IEnumerable<string> Check(IConfiguration configuration)
    {
        try
        {
            var options = Read(configuration);
            var unread = new MapOptionsValidator<ListenersOptions>(configuration.GetSection(ListenersOptions.Section)).Validate(null, options);
            return [.. unread.Failures ?? [], .. validator.Validate(null, options).Failures ?? []];
        }
        catch (InvalidOperationException fault) // the binder's word for a value of another kind
        {
            return [fault.Message];
        }
    }

    /// <inheritdoc/>
    /// <remarks>What goes makes room for what comes.</remarks>
    public async Task<string[]> ApplyAsync(IConfiguration configuration)
    {
        var faults = Check(configuration).ToArray();
        if (faults.Length > 0) return faults;
        await turn.WaitAsync();
        try
        {
            return await FollowAsync(Read(configuration));
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<string[]> FollowAsync(ListenersOptions wanted)
    {
        var faults = new List<string>();
        var next = all.Where(one => wanted.TryGetValue(one.Setup.Info.Name, out var options) && options.Enabled).ToList();
        foreach (var gone in all.Except(next)) await RemoveAsync(gone);
        foreach (var (name, options) in wanted.Where(one => one.Value.Enabled))
        {
            try
            {
                if (next.Find(one => IsNamed(one, name)) is { } known) await ChangeAsync(known, options);
                else next.Add(await AddAsync(name, options));
            }
            catch (StartException fault)
            {
                faults.Add(fault.Message);
            }
        }

        all = [.. next];
        return [.. faults];
    }

    public IEnumerable<KeyValuePair<string, string?>> Describe() =>
        all.SelectMany(one => SettingKey.Flatten($"{ListenersOptions.Section}:{one.Setup.Info.Name}", one.Setup.Options, typeof(ListenerOptions)));

    private static ListenersOptions Read(IConfiguration configuration) => configuration.GetSection(ListenersOptions.Section).Get<ListenersOptions>() ?? [];

    private static (string Address, int Port) SocketOf(MqttListener one) => (one.Setup.Options.Address, one.Setup.Options.EffectivePort);

    private static bool IsNamed(MqttListener one, string name) => string.Equals(one.Setup.Info.Name, name, StringComparison.OrdinalIgnoreCase);

    private MqttListener? Find(string name) => Array.Find(all, one => IsNamed(one, name));

    private async Task<MqttListener> AddAsync(string name, ListenerOptions options)
    {
        var listener = Make(name, options);
        if (isStarted) await StartAsync(listener);
        return listener;
    }

    private async Task ChangeAsync(MqttListener listener, ListenerOptions options)
    {
        var setup = listener.Setup;
        var rates = ClientRates.Of(connections.Mqtt.CurrentValue, options);
        if (rates == setup.Rates && Flatten(options).SequenceEqual(Flatten(setup.Options))) return;
        await listener.ChangeAsync(new ListenerSetup(setup.Info.Name, options, rates, setup.Info));

        static IEnumerable<KeyValuePair<string, string?>> Flatten(ListenerOptions one) => SettingKey.Flatten("", one, typeof(ListenerOptions));
    }

    /// <summary>Whoever has come by a listener that is no more goes too.</summary>
    private async Task RemoveAsync(MqttListener listener)
    {
        await listener.StopAsync();
        admission.Remove(listener.Gate);
        foreach (var connection in connections.Connections.Enumerate().Where(one => one.Peer.Listener.Name == listener.Setup.Info.Name))
        {
            _ = connection.CloseAsync(ReasonCode.AdministrativeAction, "listener_closed", null);
        }
    }

    private async Task StartAsync(MqttListener listener)
    {
        await listener.StartAsync();
        admission.Add(listener.Gate);
    }

    private MqttListener Make(string name, ListenerOptions options, string? section = null) => new(
        section ?? $"{ListenersOptions.Section}:{name}", new ListenerSetup(name, options, ClientRates.Of(connections.Mqtt.CurrentValue, options)),
        Bootstrap, listener => new ChannelPipeline(contexts, connections, listener, () => Math.Min(gateway.CurrentValue.MaxConnections, mostDescriptors)));

    private ServerBootstrap Bootstrap()
    {
        var highWatermark = connections.Mqtt.CurrentValue.HighWatermark;
        var bootstrap = new ServerBootstrap()
            .Group(loops)
            .Option(ChannelOption.SoBacklog, gateway.CurrentValue.Backlog)
            .Option(ChannelOption.SoReuseaddr, true)
            .ChildOption(ChannelOption.TcpNodelay, true)
            .ChildOption(ChannelOption.SoKeepalive, true)
            .ChildOption(ChannelOption.Allocator, allocator)
            .ChildOption(ChannelOption.WriteBufferHighWaterMark, highWatermark)
            .ChildOption(ChannelOption.WriteBufferLowWaterMark, highWatermark / 2);
        transport.UseServerChannel(bootstrap);
        return bootstrap;
    }
}
