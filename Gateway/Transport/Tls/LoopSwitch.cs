using System.Runtime.CompilerServices;
using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Tls;

/// <summary>Awaited, it goes on upon the event loop: at once if it is there already.</summary>
internal readonly struct LoopSwitch(IEventLoop loop) : INotifyCompletion
{
    public bool IsCompleted => loop.InEventLoop;

    public LoopSwitch GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation)
    {
        try
        {
            loop.Execute(continuation);
        }
        catch (RejectedExecutionException)
        {
            // The loop has been shut down, and with it all that could go on.
        }
    }
}
