using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Tracing;

namespace Broker.Gateway.Mqtt;

internal sealed partial class Connection
{
    private ClientInfo? identified;

    /// <summary>What traces the connection; null while nothing does.</summary>
    public ConnectionTracer? Tracer { get; private set; }

    /// <summary>CONNECT says who the client is.</summary>
    public ClientInfo Identify(ConnectPacket connect, ClientInfo client)
    {
        identified = client;
        Retrace();
        Tracer?.Received(connect);
        return client;
    }

    /// <summary>Finds out what traces the connection. On the loop.</summary>
    public void Retrace()
    {
        if (identified is null || IsEnding) return;
        Tracer = Sender.Tracer = services.Hooks.Traces?.TracerFor(identified);
        if (Access is not null) Access.Tracer = Tracer;
    }
}
