using System.Net;
using Broker.Grains.Interfaces.Configuration;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>One listener: accepts connections and puts a pipeline behind each.</summary>
/// <param name="section">The configuration section of its address and port.</param>
internal sealed class MqttListener(string section, ListenerSetup setup)
{
    private readonly AcceptGate gate = new();
    private ServerBootstrap? bootstrap;
    private IChannel? listening;

    public ListenerSetup Setup => setup;

    public bool IsActive => listening is { Active: true };

    /// <summary>Starts to accept.</summary>
    /// <param name="children">The bootstrap, for this listener alone, without its pipeline.</param>
    /// <exception cref="StartException">The address cannot be had.</exception>
    public async Task StartAsync(ServerBootstrap children, ChannelPipeline pipeline, HandshakeAdmission admission)
    {
        bootstrap = children.ChildHandler(pipeline);
        if (setup.Options.MaxConnectRate > 0) bootstrap.Handler(new AcceptRate(setup.Options.MaxConnectRate, gate));
        await ListenAsync(setup.Options.EffectivePort);
        admission.Add(gate);
    }

    /// <summary>Closes its socket and opens it again at the same port. Connections stay.</summary>
    /// <exception cref="StartException">The address cannot be had any more.</exception>
    public async Task RestartAsync()
    {
        await StopAsync();
        await ListenAsync(setup.Info.Port);
    }

    /// <summary>Accepts no more.</summary>
    public Task StopAsync() => listening?.CloseAsync() ?? Task.CompletedTask;

    private async Task ListenAsync(int port)
    {
        var options = setup.Options;
        var address = options.Address == "*" ? IPAddress.IPv6Any
            : IPAddress.TryParse(options.Address, out var one) ? one
            : throw new StartException($"{section}:Address = '{options.Address}' is not allowed: it must be an IP address or *.");
        try
        {
            listening = await bootstrap!.BindAsync(new IPEndPoint(address, port));
        }
        catch (Exception error) when (error is ChannelException or System.Net.Sockets.SocketException)
        {
            throw new StartException($"{section}:Address = '{options.Address}', {section}:Port = {port}: cannot listen there ({error.Message}).", error);
        }

        setup.Info.Port = ((IPEndPoint)listening.LocalAddress).Port;
        gate.Attach(listening);
    }
}
