using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DotNetty.Handlers.Tls;
using DotNetty.Transport.Channels;
using Xunit;
using static Broker.Tests.Unit.Gateway.Transport.Epoll.EpollListener;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

public class EpollTlsTests
{
    [Fact]
    public async Task EchoesEveryByte_WhenConnectionIsTls()
    {
        using X509Certificate2 certificate = SelfSigned();
        var scripted = new ScriptedHandler(ScriptedHandler.Echo);
        await using EpollListener listener = await StartAsync(
            () => scripted,
            configure: bootstrap => bootstrap.ChildHandler(new ActionChannelInitializer<IChannel>(channel =>
                channel.Pipeline.AddLast(TlsHandler.Server(certificate)).AddLast(scripted))));
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.Address.Address, listener.Address.Port).WaitAsync(Deadline);
        await using var tls = new SslStream(new NetworkStream(client), false, (_, presented, _, _) => presented!.GetCertHashString() == certificate.Thumbprint);
        await tls.AuthenticateAsClientAsync("localhost").WaitAsync(Deadline);

        byte[] sent = RandomNumberGenerator.GetBytes(1_000_000), back = new byte[sent.Length];
        Task sending = Task.Run(async () =>
        {
            await tls.WriteAsync(sent);
            await tls.FlushAsync();
        });
        await tls.ReadExactlyAsync(back).AsTask().WaitAsync(Deadline);
        await sending.WaitAsync(Deadline);

        Assert.Equal(SHA256.HashData(sent), SHA256.HashData(back));
        Assert.Empty(scripted.Exceptions);
        client.Close();
        await scripted.Inactive.Task.WaitAsync(Deadline);
    }

    private static X509Certificate2 SelfSigned()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
