using System.Net;
using Broker.Grains.Interfaces.Configuration;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>One listener: accepts connections and puts a pipeline behind each.</summary>
/// <param name="section">The configuration section of its address and port.</param>
/// <param name="children">Makes a bootstrap with everything but the pipeline.</param>
/// <param name="pipeline">Makes the pipeline of this listener.</param>
internal sealed class MqttListener(string section, ListenerSetup setup, Func<ServerBootstrap> children, Func<MqttListener, ChannelPipeline> pipeline)
{
    private volatile ListenerSetup setup = setup;
    private IChannel? listening;

    /// <summary>What holds for connections that it accepts from now on.</summary>
    public ListenerSetup Setup => setup;

    /// <summary>Shuts it for a while.</summary>
    public AcceptGate Gate { get; } = new();

    public bool IsActive => listening is { Active: true };

    /// <summary>Starts to accept.</summary>
    /// <exception cref="StartException">The address cannot be had.</exception>
    public Task StartAsync() => ListenAsync(setup.Options.EffectivePort);

    /// <summary>Closes its socket and opens it again at the same port. Connections stay.</summary>
    /// <exception cref="StartException">The address cannot be had any more.</exception>
    public async Task RestartAsync()
    {
        await StopAsync();
        await ListenAsync(setup.Info.Port);
    }

    /// <summary>Takes other options. Connections stay, and what holds for them; the socket is opened anew if it must be.</summary>
    /// <exception cref="StartException">The address cannot be had: it stays where it was.</exception>
    public async Task ChangeAsync(ListenerSetup wanted)
    {
        var before = setup;
        wanted.Info.Port = before.Info.Port;
        setup = wanted;
        if (listening is null || IsSameSocket(before, wanted)) return;
        await StopAsync();
        try
        {
            await ListenAsync(wanted.Options.EffectivePort);
        }
        catch (StartException)
        {
            setup = before;
            await ListenAsync(before.Info.Port);
            throw;
        }
    }

    /// <summary>Accepts no more.</summary>
    public Task StopAsync() => listening?.CloseAsync() ?? Task.CompletedTask;

    private static bool IsSameSocket(ListenerSetup one, ListenerSetup other) =>
        (one.Options.Address, one.Options.EffectivePort, one.Options.MaxConnectRate) == (other.Options.Address, other.Options.EffectivePort, other.Options.MaxConnectRate);

    private async Task ListenAsync(int port)
    {
        var options = setup.Options;
        var address = options.Address == "*" ? IPAddress.IPv6Any
            : IPAddress.TryParse(options.Address, out var one) ? one
            : throw new StartException($"{section}:Address = '{options.Address}' is not allowed: it must be an IP address or *.");
        var bootstrap = children().ChildHandler(pipeline(this));
        if (options.MaxConnectRate > 0) bootstrap.Handler(new AcceptRate(options.MaxConnectRate, Gate));
        try
        {
            listening = await bootstrap.BindAsync(new IPEndPoint(address, port));
        }
        catch (Exception error) when (error is ChannelException or System.Net.Sockets.SocketException)
        {
            throw new StartException($"{section}:Address = '{options.Address}', {section}:Port = {port}: cannot listen there ({error.Message}).", error);
        }

        setup.Info.Port = ((IPEndPoint)listening.LocalAddress).Port;
        Gate.Attach(listening);
    }
}
