using System.Net;
using Broker.Grains.Interfaces.Configuration;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>One listener: accepts connections and puts a pipeline behind each.</summary>
/// <param name="section">The configuration section of its address and port.</param>
internal sealed class MqttListener(string section, ListenerSetup setup)
{
    private IChannel? listening;

    public ListenerSetup Setup => setup;

    public bool IsActive => listening is { Active: true };

    /// <summary>Starts to accept.</summary>
    /// <param name="bootstrap">For this listener alone, without its pipeline.</param>
    /// <exception cref="StartException">The address cannot be had.</exception>
    public async Task StartAsync(ServerBootstrap bootstrap, ChannelPipeline pipeline, HandshakeAdmission admission)
    {
        var options = setup.Options;
        var gate = new AcceptGate();
        bootstrap.ChildHandler(pipeline);
        if (options.MaxConnectRate > 0) bootstrap.Handler(new AcceptRate(options.MaxConnectRate, gate));
        var address = options.Address == "*" ? IPAddress.IPv6Any
            : IPAddress.TryParse(options.Address, out var one) ? one
            : throw new StartException($"{section}:Address = '{options.Address}' is not allowed: it must be an IP address or *.");
        try
        {
            listening = await bootstrap.BindAsync(new IPEndPoint(address, options.EffectivePort));
        }
        catch (Exception error) when (error is ChannelException or System.Net.Sockets.SocketException)
        {
            throw new StartException($"{section}:Address = '{options.Address}', {section}:Port = {options.EffectivePort}: cannot listen there ({error.Message}).", error);
        }

        setup.Info.Port = ((IPEndPoint)listening.LocalAddress).Port;
        gate.Attach(listening);
        admission.Add(gate);
    }

    /// <summary>Accepts no more.</summary>
    public Task StopAsync() => listening?.CloseAsync() ?? Task.CompletedTask;
}
