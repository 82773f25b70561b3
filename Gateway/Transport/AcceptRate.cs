using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>In the pipeline of a listening socket: accepts so many connections a second and no more.</summary>
internal sealed class AcceptRate(int perSecond, AcceptGate gate) : ChannelHandlerAdapter
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private long began;
    private int accepted;

    /// <inheritdoc/>
    /// <remarks>A listener that is opened anew takes it along.</remarks>
    public override bool IsSharable => true;

    public override void ChannelRead(IChannelHandlerContext context, object message)
    {
        context.FireChannelRead(message);
        // Steady time of the machine: the broker's clock need not run with the kernel's backlog.
        var now = Environment.TickCount64;
        if (now - began >= Period.TotalMilliseconds) (began, accepted) = (now, 0);
        if (++accepted != perSecond) return;
        gate.Hold();
        context.Executor.Schedule(gate.Release, TimeSpan.FromMilliseconds(began + Period.TotalMilliseconds - now));
    }
}
