using Broker.Gateway.Transport.Epoll;

namespace Broker.Gateway.Transport;

/// <summary>Which transport the configuration asks for.</summary>
internal enum TransportPreference
{
    /// <summary>epoll where it works, else portable.</summary>
    Automatic,

    /// <summary>epoll; the start fails where it does not work.</summary>
    Epoll,

    /// <summary>DotNetty's own sockets.</summary>
    Portable,
}

/// <summary>Picks the transport for this machine.</summary>
internal static class TransportFactory
{
    /// <exception cref="PlatformNotSupportedException">epoll was asked for by name and does not work here.</exception>
    public static ITransport Create(TransportPreference preference) => preference switch
    {
        TransportPreference.Portable => new PortableTransport(),
        TransportPreference.Epoll when !EpollTransport.IsSupported
            => throw new PlatformNotSupportedException("The epoll transport needs Linux on x64 or arm64."),
        _ => EpollTransport.IsSupported ? new EpollTransport() : new PortableTransport(),
    };
}
