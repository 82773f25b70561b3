using Broker.Tests.Unit.Grains.Storage;

namespace Broker.Tests.Cluster.Storage;

public class FencingTests : FencingContract
{
    private protected override StorePlaces Places { get; } = new MariaDbPlaces();
}

public class NodeFenceTests : NodeFenceContract
{
    private protected override StorePlaces Places { get; } = new MariaDbPlaces();
}

public class OriginStoreTests : OriginStoreContract
{
    private protected override StorePlaces Places { get; } = new MariaDbPlaces();
}

public class QueueStoreTests : QueueStoreContract
{
    private protected override StorePlaces Places { get; } = new MariaDbPlaces();
}

public class RetainedStoreTests : RetainedStoreContract
{
    private protected override StorePlaces Places { get; } = new MariaDbPlaces();
}

public class SessionStoreTests : SessionStoreContract
{
    private protected override StorePlaces Places { get; } = new MariaDbPlaces();
}


public class RecordStoreTests : RecordStoreContract
{
    private protected override StorePlaces Places { get; } = new MariaDbPlaces();
}

public class DelayedStoreTests : DelayedStoreContract
{
    private protected override StorePlaces Places { get; } = new MariaDbPlaces();
}
