using MongoDB.Driver;

namespace Broker.Gateway.Security.Sources.MongoDb;

/// <summary>Opens the driver's pool of connections.</summary>
internal static class MongoConnection
{
    public const int UsualPort = 27017;

    public static MongoClient Open(MongoOptions options)
    {
        var settings = new MongoClientSettings
        {
            Servers = options.Servers(UsualPort).Select(place => new MongoServerAddress(place.Host, place.Port)),
            DirectConnection = options.Type == "single",
            ReplicaSetName = options.ReplicaSet.Length == 0 ? null : options.ReplicaSet,
            Credential = options.UserName.Length == 0 ? null : MongoCredential.CreateCredential(options.AuthSource, options.UserName, options.ReadPassword()),
            ApplicationName = "broker",
            MaxConnectionPoolSize = options.PoolSize,
            ServerSelectionTimeout = options.QueryTimeout,
            ConnectTimeout = options.QueryTimeout,
            SocketTimeout = options.QueryTimeout,
            UseTls = options.Tls != "off",
        };
        if (settings.UseTls)
        {
            settings.SslSettings = new SslSettings
            {
                ServerCertificateValidationCallback = TlsClient.MakeValidation(options),
                ClientCertificates = TlsClient.Certificate(options) is { } own ? [own] : null,
            };
        }

        return new MongoClient(settings);
    }
}
