using System.Collections.Concurrent;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

/// <summary>A channel handler that records what happens and does with each read what the test says; by default releases it.</summary>
internal sealed class ScriptedHandler(Action<IChannelHandlerContext, IByteBuffer>? onRead = null) : ChannelHandlerAdapter
{
    private long received;

    public TaskCompletionSource<IChannel> Active { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Inactive { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<Exception> Exceptions { get; } = new();

    public ConcurrentQueue<bool> Writability { get; } = new();

    public long Received => Volatile.Read(ref received);

    public int ReadCompletes { get; private set; }

    /// <summary>Reads stop while the channel cannot be written to, as the broker does.</summary>
    public bool PausesWhenUnwritable { get; init; }

    public override void ChannelActive(IChannelHandlerContext context)
    {
        Active.TrySetResult(context.Channel);
        context.FireChannelActive();
    }

    public override void ChannelInactive(IChannelHandlerContext context)
    {
        Inactive.TrySetResult();
        context.FireChannelInactive();
    }

    public override void ChannelRead(IChannelHandlerContext context, object message)
    {
        var buffer = (IByteBuffer)message;
        Interlocked.Add(ref received, buffer.ReadableBytes);
        if (onRead is null) buffer.Release();
        else onRead(context, buffer);
    }

    public override void ChannelReadComplete(IChannelHandlerContext context)
    {
        ReadCompletes++;
        context.Flush();
        context.FireChannelReadComplete();
    }

    public override void ChannelWritabilityChanged(IChannelHandlerContext context)
    {
        Writability.Enqueue(context.Channel.IsWritable);
        if (PausesWhenUnwritable) context.Channel.Configuration.AutoRead = context.Channel.IsWritable;
        context.FireChannelWritabilityChanged();
    }

    public override void ExceptionCaught(IChannelHandlerContext context, Exception exception) => Exceptions.Enqueue(exception);

    public static void Echo(IChannelHandlerContext context, IByteBuffer buffer) => context.WriteAsync(buffer);
}
