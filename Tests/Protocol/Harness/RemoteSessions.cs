using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Tests.Protocol.Harness;

/// <summary>Makes a gateway find no durable session in its process, so that it reaches all of them as it does those of other processes.</summary>
internal static class RemoteSessions
{
    public static void Use(IServiceCollection services) => services.AddSingleton<ILocalSessions>(new Nowhere());

    /// <summary>Waits until nothing is on its way between gateway, sessions and store.</summary>
    public static async Task QuietAsync(IServiceProvider services, TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        var (there, back, store) = (services.GetRequiredService<SessionLinks>(), services.GetRequiredService<PipeLinks>(), services.GetRequiredService<BrokerStore>());
        // A command may make the store write, which may make the session send, which may make the gateway give credit.
        for (var calm = 0; calm < 3; calm++)
        {
            await store.FlushAsync().WaitAsync(deadline.Token);
            while (!there.IsIdle || !back.IsIdle)
            {
                calm = 0;
                deadline.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    private sealed class Nowhere : ILocalSessions
    {
        public ILocalSession? Find(string clientId) => null;
    }
}
