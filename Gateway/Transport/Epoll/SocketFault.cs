using System.Runtime.InteropServices;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>Turns the error number of a failed call into the exception a channel reports.</summary>
internal static class SocketFault
{
    public static ChannelException Create(string call, int errno)
        => new($"{call}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})");
}
